/** What the processes of the crash test share. */
import type { Store } from "../../src/store";

/** What it is told. */
export interface CrashJob {
  readonly path: string;
  readonly port: number;
  readonly publicKey: string;
  readonly privateKey: string;
  readonly secret: string;
  readonly singles: readonly string[];
  readonly planned: readonly string[];
  /** Dies at this writing call of the store, counted from 0: before it is made, or when it has answered. */
  readonly at?: { readonly call: number; readonly when: "before" | "after" };
}

/** The configuration that all processes of the test share. */
export function crashConfig({ publicKey, secret }: Pick<CrashJob, "publicKey" | "secret">, store: Store) {
  return {
    environment: "production",
    environments: { production: { mode: "live" } },
    env: {},
    purposes: {
      note: { kind: "stream", match: { subject: /^Note/ }, caps: [{ people: 100, per: "1h" }] },
      offer: { kind: "bulk", caps: [{ people: 100, per: "24h" }] },
    },
    defaults: { caps: [{ people: 100, per: "1h" }] },
    approvers: { erin: { publicKey } },
    requesters: ["dana"],
    secret,
    store,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  } as const;
}
