/** The fuse under which everything is measured: every guard is on, and none has anything to say. */
import { createFuse, type Fuse, type FuseConfig, generateKeys, memoryStore, type SendContext } from "mailfuse";
import * as z from "zod";

const approver = generateKeys();
const many = 100_000_000;

export const quiet = { debug() {}, info() {}, warn() {}, error() {} };

export const guarded: FuseConfig = {
  environment: "production",
  environments: { production: { mode: "live" }, staging: { mode: "test", allow: ["*@acme.com"] } },
  purposes: {
    receipt: {
      kind: "stream",
      caps: [
        { people: many, per: "1m" },
        { people: many, per: "1h" },
        { people: many, per: "24h", onExceeded: "halt" },
      ],
      perPerson: [{ messages: many, per: "1h" }],
      claim: {
        data: z.object({ orderId: z.string(), email: z.string() }),
        subject: (data: { readonly email: string }) => data.email,
        verify: () => ({ evidence: "order-4821" }),
      },
      freshness: { maxAge: "15m", required: true },
    },
    offer: { kind: "bulk", caps: [{ people: many, per: "24h" }] },
  },
  defaults: { caps: [{ people: 100, per: "1h" }] },
  internal: ["*@acme.com"],
  lists: ["*@lists.acme.com"],
  approvers: { erin: { publicKey: approver.publicKey } },
  requesters: ["dana"],
  secret: "the bench's own secret",
  logger: quiet,
};

export function benchFuse(change: Partial<FuseConfig> = {}): Fuse {
  return createFuse({ ...guarded, store: memoryStore(), ...change });
}

/** A fuse as most are: a purpose with a cap, and nothing that has to be proven. */
export function everydayFuse(): Fuse {
  const purposes = { receipt: { kind: "stream", caps: [{ people: many, per: "1h" }] } } as const;
  return benchFuse({ purposes });
}

/** What one send is run with: its purpose, its data, when its job was made, and its key. */
export function contextOf(index: number, email: string): SendContext {
  const orderId = `order-${index}`;
  return { purpose: "receipt", data: { orderId, email }, createdAt: Date.now(), idempotencyKey: orderId };
}
