/** An application with two approvers and a requester, on a given store and a real mail server. */
import nodemailer from "nodemailer";
import { nodemailerAdapter } from "../../adapters/nodemailer";
import { createFuse, type Fuse, type FuseConfig, generateKeys, type Plan, signToken } from "../../src/index";
import type { Store } from "../../src/store";
import { openPostOffice, type PostOffice } from "./post-office";

/** Everybody's keys: made once, each a principal's own. */
export const keys = { erin: generateKeys(), frank: generateKeys(), dana: generateKeys() };

export type Name = keyof typeof keys;

/** An application. */
export interface World {
  readonly office: PostOffice;
  readonly fuse: Fuse;
  readonly store: Store;
  /** Another process of it, with a store or settings of its own. */
  open(change: Partial<FuseConfig>): Fuse;
  /** As the application sends, bare of any purpose. */
  send(to: string): Promise<unknown>;
  plan(audience: readonly string[], change?: object): Promise<Plan>;
  token(plan: Pick<Plan, "id">, by: Name, change?: Partial<Parameters<typeof signToken>[0]>): Promise<string>;
  close(): Promise<void>;
}

/** Makes one. `offer` needs one approval, `refund` two. */
export async function openWorld(store: Store): Promise<World> {
  const office = await openPostOffice();
  const closing: (() => unknown)[] = [];
  const make = (change: Partial<FuseConfig>) => {
    const fuse = createFuse({
      environment: "production",
      environments: { production: { mode: "live" }, staging: { mode: "test", allow: ["*"] } },
      purposes: {
        offer: { kind: "bulk", caps: [{ people: 100_000, per: "24h" }] },
        refund: { kind: "bulk", caps: [{ people: 100_000, per: "24h" }], confirm: { approvals: 2 } },
      },
      defaults: { caps: [{ people: 10_000, per: "1h" }], confirm: { abovePeople: 10_000 } },
      approvers: Object.fromEntries(Object.entries(keys).map(([name, { publicKey }]) => [name, { publicKey }])),
      secret: "the programme's own secret, long enough to be one",
      env: {},
      store,
      logger: { debug() {}, info() {}, warn() {}, error() {} },
      ...change,
    });
    const mailer = nodemailer.createTransport({ host: "127.0.0.1", port: office.port, ignoreTLS: true });
    fuse.attach(mailer, nodemailerAdapter());
    closing.push(() => mailer.close());
    return { fuse, mailer };
  };
  const { fuse, mailer } = make({});
  const send = (to: string) => mailer.sendMail({ from: "shop@acme.example", to, subject: "Offer", text: `For ${to}.` });
  return {
    office,
    fuse,
    store,
    open: (change) => make(change).fuse,
    plan: (audience, change = {}) =>
      fuse.plan(
        { purpose: "offer", expectedPeople: audience.length, requestedBy: "dana", allowRepeat: true, ...change },
        { audience, send },
      ),
    send,
    async token({ id }, by, change = {}) {
      const { plan, view } = await fuse.view(id, { by });
      const { privateKey } = keys[by];
      return signToken({ plan: id, digest: plan.digest, view, by, privateKey, now: await store.now(), ...change });
    },
    async close() {
      for (const end of closing) end();
      await fuse.flush();
      await office.close();
    },
  };
}

/** The code a promise rejects with; `"none"` when it resolves. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "none",
    (error: unknown) => String((error as { code?: unknown }).code ?? error),
  );
}
