/**
 * What Postmark's answers say of each mail (https://postmarkapp.com/developer/api/overview#error-codes).
 *
 * @module
 */
import {
  asText,
  type Fate,
  fateOfStatus,
  field,
  type Message,
  type Outcome,
  type WireResponse,
} from "../../src/adapter";
import type { Layout } from "./endpoints";

type Person = { readonly fate: Fate; readonly messageId?: string };

/** The outcome of a send with these mails. */
export function readOutcome(messages: readonly Message[], layout: Layout | undefined, response: WireResponse): Outcome {
  const fate = fateOfStatus(response.status);
  if (fate !== "accepted") {
    const code = field(response.body, "ErrorCode");
    return { fate, providerCode: typeof code === "number" && code !== 0 ? String(code) : `http_${response.status}` };
  }
  if (layout === undefined) return { fate };
  if (layout === "bulk") return bulkOutcome(response);
  const answers = layout === "one" ? [response.body] : Array.isArray(response.body) ? response.body : [];
  const people = new Map<string, Person>();
  const fates = messages.map((message, at) => {
    const one = answerOutcome(answers[at]);
    const inactive = one.fate === "accepted" ? inactiveOf(answers[at]) : undefined;
    for (const { person, address } of message.recipients) {
      const left = inactive?.has(person) || inactive?.has(address.toLowerCase());
      better(people, person, left ? { fate: "refused" } : one);
    }
    return one;
  });
  const [first] = fates;
  const overall = worst(fates.map((one) => one.fate));
  return {
    fate: overall,
    ...(fates.length === 1 && first?.messageId !== undefined ? { messageId: first.messageId } : {}),
    people,
    ...(overall === "refused" ? { providerCode: codeOf(answers[0]) } : {}),
  };
}

// All of a call has one fate when its mails agree; one accepted among others makes the call accepted,
// and `people` tells them apart.
function worst(fates: readonly Fate[]): Fate {
  if (fates.includes("unknown") || fates.length === 0) return "unknown";
  return fates.includes("accepted") ? "accepted" : "refused";
}

/** A person of several mails counts by the one that reached them, or may have. */
function better(people: Map<string, Person>, person: string, next: Person): void {
  const rank = (fate: Fate | undefined) => ["accepted", "unknown"].indexOf(fate ?? "") + 1 || 3;
  if (rank(next.fate) < rank(people.get(person)?.fate) || !people.has(person)) people.set(person, next);
}

function answerOutcome(answer: unknown): Person {
  const code = field(answer as never, "ErrorCode");
  const id = asText(field(answer as never, "MessageID"));
  // Every code but 0 says that this mail was not taken: 300 invalid, 406 inactive, 405 no credits.
  if (typeof code === "number") {
    return code === 0 ? { fate: "accepted", ...(id === undefined ? {} : { messageId: id }) } : { fate: "refused" };
  }
  return { fate: "unknown" };
}

function codeOf(answer: unknown): string {
  return String(field(answer as never, "ErrorCode"));
}

/** A mail to several people leaves for the active ones; the answer's text names the others. */
function inactiveOf(answer: unknown): ReadonlySet<string> | undefined {
  const listed = /these inactive addresses: ([^\n]{1,20000})$/.exec(asText(field(answer as never, "Message")) ?? "");
  if (!listed?.[1]) return undefined;
  return new Set(listed[1].split(",").map((address) => address.trim().replace(/\.$/, "").toLowerCase()));
}

function bulkOutcome(response: WireResponse): Outcome {
  const status = asText(field(response.body, "Status"));
  const id = asText(field(response.body, "Id"));
  const taken = status === "Accepted" || status === "Processing" || status === "Completed";
  const fate = taken ? "accepted" : status === "Failed" ? "refused" : "unknown";
  return {
    fate,
    ...(id === undefined ? {} : { messageId: id }),
    ...(fate === "refused" ? { providerCode: "Failed" } : {}),
  };
}
