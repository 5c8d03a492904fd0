/**
 * What the ledger records, as one JSON object a line. Version 1; the store adds the line's number
 * and time. No event holds an address, a subject or a body.
 *
 * @module
 */
import type { Outcome } from "../adapter";
import type { Refusal } from "../errors";
import type { Part } from "../guard";
import type { Purpose } from "../purpose";
import type { Judged } from "../send";
import { eventVersion } from "./action-event";

export { actionEvent } from "./action-event";

/** The plan entry that a release delivers. */
export interface EntryRef {
  readonly plan: string;
  readonly index: number;
}

/** The line written before the provider is called: the mail may have been sent. */
export function reservedEvent(send: Judged, policy: string): string {
  const { id, parts, entry, warnings, notes } = send;
  const people = parts.length === 1 ? (parts[0] as Part).pseudonyms() : parts.flatMap((part) => part.pseudonyms());
  // Put together from texts, since it is written for every mail. Ids and pseudonyms hold nothing to escape.
  const line = [`{"v":1,"type":"reserved","id":"`, id, `",`, subjectText(send, policy)];
  line.push(people.length === 0 ? `,"people":[]` : `,"people":["${people.join(`","`)}"]`);
  // Of several purposes in one call: how many of the people each has, in order.
  if (parts.length > 1) line.push(`,"split":${JSON.stringify(parts.map((part) => part.people.size))}`);
  if (entry) line.push(`,"plan":${JSON.stringify(entry.plan)},"entry":${entry.index}`);
  if (warnings.length > 0) line.push(`,"warnings":${JSON.stringify(countCodes(warnings))}`);
  if (notes.length > 0) line.push(`,"notes":${JSON.stringify(notes.map(({ name, value }) => `${name}:${value}`))}`);
  line.push("}");
  return line.join("");
}

/** The line written when the outcome is known. */
export function settledEvent(id: string, outcome: Outcome, pseudonym: (person: string) => string): string {
  if (!outcome.people && outcome.messageId === undefined && outcome.providerCode === undefined)
    return [`{"v":1,"type":"settled","id":"`, id, `","fate":"`, outcome.fate, `"}`].join("");
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

/** A mail's subject as text, and what it was made of: mails of one purpose mostly have the same. */
interface SubjectText {
  readonly of: Pick<Judged, "environment" | "mode" | "stage" | "provider" | "account" | "redirectedTo">;
  readonly messages: number;
  readonly policy: string;
  readonly text: string;
}

const subjects = new WeakMap<Purpose, SubjectText>();

/** {@link subject} as JSON, without the braces around it. */
function subjectText(send: Judged, policy: string): string {
  const [part] = send.parts;
  const purpose = send.parts.length === 1 ? part?.purpose : undefined;
  const known = purpose && subjects.get(purpose);
  if (known && isSame(known, send, policy)) return known.text;
  const text = JSON.stringify(subject(send, policy)).slice(1, -1);
  const { environment, mode, stage, provider, account, redirectedTo } = send;
  const of = { environment, mode, stage, provider, ...(account && { account }), ...(redirectedTo && { redirectedTo }) };
  if (purpose) subjects.set(purpose, { of, messages: send.messages.length, policy, text });
  return text;
}

function isSame({ of, messages, policy }: SubjectText, send: Judged, under: string): boolean {
  return (
    of.environment === send.environment &&
    of.mode === send.mode &&
    of.stage === send.stage &&
    of.provider === send.provider &&
    of.account === send.account &&
    (of.redirectedTo === undefined) === (send.redirectedTo === undefined) &&
    messages === send.messages.length &&
    policy === under
  );
}

/** How often each code occurs. */
function countCodes(refusals: readonly Refusal[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { code } of refusals) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}
