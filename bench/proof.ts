/**
 * Proves that the bench measures the real thing: under the measured set-up, with one fact flipped for
 * each guard, that guard refuses; with nothing flipped, the mail leaves.
 */
import { type FuseConfig, MailfuseError, type SendContext } from "mailfuse";
import { nodemailerAdapter } from "mailfuse/nodemailer";
import { createTransport } from "nodemailer";
import { benchFuse, contextOf, guarded } from "./fuse";
import { from, html, subject, text } from "./mail";
import { noopAdapter, noopClient } from "./noop";

interface Flip {
  readonly guard: string;
  /** What the guard says. `(repeat)`: the mail is not sent a second time, and its caller is answered. */
  readonly code: string;
  readonly mail?: { readonly to?: string; readonly html?: string };
  readonly context?: SendContext;
  readonly config?: Partial<FuseConfig>;
  readonly halt?: boolean;
  /** How often the mail is sent; the last is the one that is looked at. */
  readonly times?: number;
  /** Keeps the key over the sends. */
  readonly sameKey?: boolean;
}

const to = "ana@mail-1.test";
const receipt = guarded.purposes?.receipt as NonNullable<FuseConfig["purposes"]>[string];
const other = (change: object): Partial<FuseConfig> => ({
  purposes: { ...guarded.purposes, receipt: { ...receipt, ...change } as typeof receipt },
});
const claim = (change: object) => other({ claim: { ...receipt.claim, ...change } });

const flips: readonly Flip[] = [
  { guard: "halt", code: "HALTED", halt: true },
  { guard: "request", code: "ADDRESS_AMBIGUOUS", mail: { to: '"ana@mail-1.test"@mail-2.test' } },
  {
    guard: "recipients",
    code: "AUDIENCE_UNDECLARED",
    mail: { to: "all@lists.acme.com" },
    context: { data: { orderId: "1", email: "all@lists.acme.com" } },
  },
  { guard: "environment", code: "NOT_ALLOWLISTED", config: { environment: "staging" } },
  { guard: "freshness", code: "STALE", context: { createdAt: 1 } },
  { guard: "content", code: "CONTENT_PLACEHOLDER", mail: { html: html.replace("Ana", "{{firstName}}") } },
  {
    guard: "claims (subject)",
    code: "CLAIM_OTHER_PERSON",
    context: { data: { orderId: "1", email: "bo@mail-1.test" } },
  },
  { guard: "claims (proof)", code: "CLAIM_FAILED", config: claim({ verify: () => false }) },
  { guard: "once", code: "(repeat)", times: 2, sameKey: true },
  { guard: "confirmation", code: "PLAN_REQUIRED", context: { purpose: "offer" } },
  { guard: "caps", code: "CAP_EXCEEDED", config: other({ caps: [{ people: 1, per: "1h" }] }), times: 2 },
  { guard: "perPerson", code: "CAP_EXCEEDED", config: other({ perPerson: [{ messages: 1, per: "1h" }] }), times: 3 },
];

type Send = (mail: { to: string; html: string }) => Promise<unknown>;

/** The clients that rows are measured with: how each is attached, and what it sends with. */
const clients = {
  noop(config: Partial<FuseConfig>) {
    const fuse = benchFuse(config);
    const client = fuse.attach(noopClient(), noopAdapter());
    const send: Send = (mail) => client.send({ subject, text, ...mail });
    return { fuse, send };
  },
  nodemailer(config: Partial<FuseConfig>) {
    const fuse = benchFuse(config);
    const client = createTransport({ streamTransport: true, buffer: true });
    fuse.attach(client, nodemailerAdapter());
    const send: Send = (mail) => client.sendMail({ from, subject, text, ...mail });
    return { fuse, send };
  },
};

/** Throws when a guard does not say what it should. Resolves to the guards that were proven. */
export async function prove(): Promise<readonly string[]> {
  for (const [name, open] of Object.entries(clients)) {
    expect(`${name}, nothing flipped`, "sent", await outcome(open, { guard: "none", code: "sent" }));
    for (const flip of flips) expect(`${name}, ${flip.guard}`, flip.code, await outcome(open, flip));
  }
  return flips.map(({ guard }) => guard);
}

async function outcome(open: (typeof clients)["noop"], flip: Flip): Promise<string> {
  const { fuse, send } = open(flip.config ?? {});
  if (flip.halt) await fuse.halt({ reason: "the bench's proof", by: "dana" });
  let said = "";
  for (let index = 0; index < (flip.times ?? 1); index++) {
    // People alternate: the first and the third mail are to one person.
    const address = flip.mail?.to ?? (flip.sameKey || index % 2 === 0 ? to : `bo@mail-1.test`);
    const context = { ...contextOf(flip.sameKey ? 0 : index, address), ...flip.context };
    said = await fuse
      .run(context, () => send({ to: address, html: flip.mail?.html ?? html }))
      .then(
        (answer) => (/simulated|duplicate/.test(JSON.stringify(answer)) ? "(repeat)" : "sent"),
        (error: unknown) =>
          MailfuseError.isInstance(error) ? error.refusals.map(({ code }) => code).join() : String(error),
      );
    await fuse.flush();
  }
  await fuse.close();
  return said;
}

function expect(what: string, expected: string, came: string): void {
  if (came.split(",").includes(expected)) return;
  throw new Error(`Expected ${expected} of the bench's set-up (${what}), got ${came}: nothing was measured.`);
}
