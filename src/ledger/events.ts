/**
 * What the ledger records, as one JSON object a line. Version 1; the store adds the line's number
 * and time. No event holds an address, a subject or a body.
 *
 * @module
 */
import type { Outcome } from "../adapter";
import type { Refusal } from "../errors";
import type { Judged } from "../send";

/** The format's version, in every event. */
const eventVersion = 1;

/** The plan entry that a release delivers. */
export interface EntryRef {
  readonly plan: string;
  readonly index: number;
}

/** The line written before the provider is called: the mail may have been sent. */
export function reservedEvent(send: Judged, policy: string, entry: EntryRef | undefined): string {
  return JSON.stringify({
    v: eventVersion,
    type: "reserved",
    id: send.id,
    ...subject(send, policy),
    people: send.parts.flatMap((part) => part.pseudonyms()),
    // Of several purposes in one call: how many of the people each has, in order.
    ...(send.parts.length > 1 ? { split: send.parts.map((part) => part.people.size) } : {}),
    ...(entry ? { plan: entry.plan, entry: entry.index } : {}),
    ...noted(send),
  });
}

/** The line written when the outcome is known. */
export function settledEvent(id: string, outcome: Outcome, pseudonym: (person: string) => string): string {
  const told = [...(outcome.people ?? [])];
  const people = told.map(([person, its]) => [pseudonym(person), its.fate] as const);
  // A batch call has a message id for each of its mails.
  const ids = told.flatMap(([person, its]) =>
    its.messageId === undefined || its.messageId === outcome.messageId
      ? []
      : [[pseudonym(person), its.messageId] as const],
  );
  return JSON.stringify({
    v: eventVersion,
    type: "settled",
    id,
    fate: outcome.fate,
    ...(outcome.messageId === undefined ? {} : { messageId: outcome.messageId }),
    ...(outcome.providerCode === undefined ? {} : { providerCode: outcome.providerCode }),
    ...(outcome.people ? { people: Object.fromEntries(people) } : {}),
    ...(ids.length > 0 ? { messageIds: Object.fromEntries(ids) } : {}),
  });
}

/** At most so many people of a refused call are named: a refused million would fill the ledger. */
const namedWhenRefused = 1_000;

/** The line written for a mail that did not leave. */
export function refusedEvent(
  send: Judged,
  policy: string,
  refusals: readonly Refusal[],
  type: "refused" | "would-refuse",
): string {
  const people = [...new Set(send.parts.flatMap((part) => [...part.people]))];
  return JSON.stringify({
    v: eventVersion,
    type,
    id: send.id,
    ...subject(send, policy),
    ...(send.entry ? { plan: send.entry.plan, entry: send.entry.index } : {}),
    reasons: countCodes(refusals),
    count: people.length,
    people: people.slice(0, namedWhenRefused).map(send.pseudonym),
  });
}

/** The line written for a mail that test mode kept back. */
export function divertedEvent(send: Judged, policy: string, how: string): string {
  return JSON.stringify({
    v: eventVersion,
    type: "diverted",
    id: send.id,
    ...subject(send, policy),
    how,
    people: send.parts.flatMap((part) => part.pseudonyms()),
  });
}

/** A line that is about no single mail: halts, plans, management calls. */
export function actionEvent(type: string, fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ v: eventVersion, type, ...fields });
}

function subject(send: Judged, policy: string) {
  return {
    env: send.environment,
    mode: send.mode,
    stage: send.stage,
    purposes: send.parts.map((part) => part.purpose.name),
    provider: send.provider,
    ...(send.account === undefined ? {} : { account: send.account }),
    messages: send.messages.length,
    policy,
    ...(send.redirectedTo === undefined ? {} : { redirected: true }),
  };
}

function noted(send: Judged) {
  const warnings = send.warnings.length > 0 ? { warnings: countCodes(send.warnings) } : {};
  const notes = send.notes.length > 0 ? { notes: send.notes.map(({ name, value }) => `${name}:${value}`) } : {};
  return { ...warnings, ...notes };
}

/** How often each code occurs. */
function countCodes(refusals: readonly Refusal[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { code } of refusals) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}
