/**
 * Asks about a plan's entries again at release: whether their claims still hold, and whether people
 * have unsubscribed since. The answer only ever takes people out, visibly.
 *
 * @module
 */
import { prove } from "../claim";
import type { Core } from "../core";
import { MailfuseError, type Refusal } from "../errors";
import type { Message } from "../message";
import type { Purpose } from "../purpose";
import { suppressedAmong, suppressedRefusal } from "../suppression";
import type { Placed } from "./entries";
import type { Terms } from "./record";

/** How many people may fall out before others have to look again: the larger of the two. */
export const removable = { people: 5, share: 0.02 } as const;

/** What was found of a batch of entries, by their index. */
export interface Rechecked {
  /** The entries that no longer hold, with the reason. */
  readonly out: ReadonlyMap<number, Refusal>;
  /** What proves the claims of the others now; the ledger keeps it with the delivery. */
  readonly evidence: ReadonlyMap<number, readonly string[]>;
}

/** Asks about a batch of entries. */
export async function recheck(
  core: Core,
  purpose: Purpose,
  terms: Pick<Terms, "mailsUnsubscribed">,
  batch: readonly Placed[],
): Promise<Rechecked> {
  const out = new Map<number, Refusal>();
  const evidence = new Map<number, string[]>();
  const { claim } = purpose;
  const { internal } = core.settings;
  const isSuppressed = terms.mailsUnsubscribed ? undefined : core.settings.isSuppressed;
  if (batch.length === 0 || (!claim && !isSuppressed)) return { out, evidence };
  const decoded = batch.map(({ index, entry }) => ({
    index,
    data: entry.data,
    messages: messagesOf(core, entry.client, entry.bytes),
  }));
  if (claim) {
    const asked = decoded.flatMap(({ index, data, messages }) =>
      messages.flatMap((message) =>
        message.recipients
          .filter((recipient) => !internal.allows(recipient) || message.recipients.length === 1)
          .map((recipient) => ({
            index,
            item: { data: data === undefined ? undefined : (JSON.parse(data) as unknown), recipient, message },
          })),
      ),
    );
    const proofs = await prove(
      purpose.name,
      claim,
      asked.map(({ item }) => item),
      core.clock,
    );
    proofs.forEach((proof, position) => {
      const index = asked[position]?.index;
      if (index === undefined) return;
      if ("code" in proof) out.set(index, proof);
      else evidence.set(index, [...(evidence.get(index) ?? []), proof.evidence]);
    });
  }
  if (isSuppressed) {
    const addressesOf = (messages: readonly Message[]) =>
      messages.flatMap((message) => message.recipients.map(({ address }) => address));
    const suppressed = await suppressedAmong(
      isSuppressed,
      decoded.flatMap(({ messages }) => addressesOf(messages)),
    );
    for (const { index, messages } of decoded) {
      if (addressesOf(messages).some((address) => suppressed.has(address.toLowerCase())))
        out.set(index, suppressedRefusal);
    }
  }
  return { out, evidence };
}

function messagesOf(core: Core, client: string, bytes: Uint8Array): readonly Message[] {
  const intent = core.held.get(client)?.attachment.revive(bytes).intent;
  return intent && "messages" in intent ? intent.messages : [];
}

/** The error for a plan out of which too many people have fallen. */
export function goesBack(removed: number, people: number): MailfuseError {
  return new MailfuseError({
    code: "PLAN_CHANGED",
    message: `Expected a plan that still holds, got one whose claims fail for, or which would reach after they have unsubscribed, ${removed} of ${people} people.`,
    fix: "Have people look at it again: confirming it now says that so many fall out. Or plan again.",
  });
}
