/**
 * What Mailtrap's answers say of each mail.
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
  type Plain,
  type WireResponse,
} from "../../src/adapter";
import type { Layout } from "./endpoints";

interface Told {
  readonly fate: Fate;
  readonly messageId?: string;
}

/** The outcome of a send with these mails. */
export function readOutcome(messages: readonly Message[], layout: Layout | undefined, response: WireResponse): Outcome {
  const { status, body } = response;
  const fate = fateOfStatus(status);
  if (fate !== "accepted") return { fate, providerCode: `http_${status}` };
  // What no mail was asked for may answer as it likes.
  if (layout === undefined || layout === "caught") return { fate };
  return layout === "batch" ? batchOutcome(messages, body) : mailOutcome(messages, readAnswer(body, layout));
}

// A mail to several people has several ids; which is whose is not said.
function readAnswer(answer: Plain, layout: Layout): Told {
  const ids = field(answer, "message_ids");
  const success = layout === "forward" ? Array.isArray(ids) : field(answer, "success");
  if (success === false) return { fate: "refused" };
  const only = Array.isArray(ids) && ids.length === 1 ? asText(ids[0]) : undefined;
  return success === true
    ? { fate: "accepted", ...(only === undefined ? {} : { messageId: only }) }
    : { fate: "unknown" };
}

function mailOutcome(messages: readonly Message[], told: Told): Outcome {
  const people = new Map(messages.flatMap(({ recipients }) => recipients.map(({ person }) => [person, told] as const)));
  return { ...told, people, ...(told.fate === "refused" ? { providerCode: "not_taken" } : {}) };
}

/** Each mail of a batch is taken or not by itself. */
function batchOutcome(messages: readonly Message[], body: Plain): Outcome {
  const answers = field(body, "responses");
  if (!Array.isArray(answers) || answers.length !== messages.length) return { fate: "unknown" };
  const told = answers.map((answer) => readAnswer(answer, "one"));
  const people = new Map<string, Told>();
  for (const [at, { recipients }] of messages.entries()) {
    for (const { person } of recipients) people.set(person, better(people.get(person), told[at] as Told));
  }
  const fates = told.map(({ fate }) => fate);
  const fate = fates.includes("accepted")
    ? "accepted"
    : fates.length === 0 || fates.includes("unknown")
      ? "unknown"
      : "refused";
  return { fate, people, ...(fate === "refused" ? { providerCode: "not_taken" } : {}) };
}

/** A person of several mails counts by the one that reached them, or may have. */
function better(was: Told | undefined, next: Told): Told {
  const rank = (fate: Fate) => ["accepted", "unknown"].indexOf(fate) + 1 || 3;
  return was === undefined || rank(next.fate) < rank(was.fate) ? next : was;
}
