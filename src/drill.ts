/**
 * A fire drill: a mass mail outside a release goes the way of every mail and has to be refused, in
 * every mode. It is no mail of any client: were it let through, nothing would be sent.
 *
 * @module
 */
import { type Call, createMessage } from "./adapter";
import type { Held } from "./core";
import { type ErrorCode, MailfuseError } from "./errors";
import type { Exit } from "./exit";
import type { Purpose } from "./purpose";

/** The purpose under which drills stand in the ledger. */
export const drillPurpose = "(drill)";

/** What became of a drill. */
export interface DrillResult {
  /** Whether it was refused, as it must be. */
  readonly refused: boolean;
  readonly codes: readonly ErrorCode[];
}

/** Runs one drill. Rejects with `STORE_UNAVAILABLE` where nothing could be judged. */
export async function drill(exit: Exit): Promise<DrillResult> {
  const { fallback } = exit.core.settings.purposes;
  const purpose: Purpose = { ...fallback, name: drillPurpose, declared: true, kind: "bulk" };
  try {
    await exit.pass(call, held, { purpose });
    return { refused: false, codes: [] };
  } catch (error) {
    if (!MailfuseError.isInstance(error) || error.code === "STORE_UNAVAILABLE") throw error;
    return { refused: true, codes: error.refusals.map(({ code }) => code) };
  }
}

// A reserved name (RFC 2606): not even a mistake here could reach anybody.
const person = "drill@mailfuse.invalid";

const call: Call<string> = {
  intent: {
    kind: "send",
    messages: [
      createMessage({
        recipients: [{ field: "to", address: person, person }],
        content: () => ({ subject: "Fire drill", text: "This mail must be refused." }),
      }),
    ],
    problems: [],
  },
  async deliver(commit) {
    await commit();
    return "passed";
  },
  simulate: (reason) => reason,
  outcome: () => ({ fate: "refused" }),
  redirect: async () => call,
  spool: () => new Uint8Array(),
};

const held: Held = {
  key: "drill",
  provider: "drill",
  client: {},
  attachment: { detach: () => {}, verify: () => undefined, revive: () => call },
};
