/**
 * Proves what a mail claims, person by person, against the system of record. Whatever is not
 * proven is refused: a time-out, an error, and an answer that is neither yes nor no.
 *
 * @module
 */
import { hash } from "node:crypto";
import { parseAddress } from "./address";
import type { Clock } from "./clock";
import type { ClaimAnswer, ClaimQuestion } from "./config";
import { outsideDelivery } from "./delivery";
import type { ErrorCode, Refusal } from "./errors";
import type { Message, Recipient } from "./message";
import type { Claim } from "./purpose";

/** One claim about one person. */
export interface ClaimItem {
  readonly data: unknown;
  readonly recipient: Recipient;
  readonly message: Message;
}

/** A claim proven, with what proves it, or the reason it is not. */
export type Proof = { readonly evidence: string } | Refusal;

/**
 * Proves claims of one purpose, in order. At once where every schema and question answers at once, as most do; else in
 * time. Never throws or rejects: what goes wrong is a reason.
 */
export function prove(
  purpose: string,
  claim: Claim,
  items: readonly ClaimItem[],
  clock: Clock,
): readonly Proof[] | Promise<readonly Proof[]> {
  const prepared = items.map((item) => prepare(purpose, claim, item, clock));
  if (prepared.some(isThenable)) return Promise.all(prepared).then((read) => asked(purpose, claim, read, clock));
  return asked(purpose, claim, prepared as readonly Prepared[], clock);
}

/** Asks about what was read, and judges the answers. */
function asked(
  purpose: string,
  claim: Claim,
  prepared: readonly Prepared[],
  clock: Clock,
): readonly Proof[] | Promise<readonly Proof[]> {
  const questions = prepared.flatMap((one) => ("question" in one ? [one.question] : []));
  const judged = (answers: readonly unknown[]): readonly Proof[] => {
    let next = 0;
    return prepared.map((one) => ("question" in one ? judge(purpose, answers[next++], one.question) : one));
  };
  const answers = ask(claim, questions, clock);
  if (isThenable(answers)) return answers.then(judged);
  return answers.some(isThenable) ? Promise.all(answers).then(judged) : judged(answers);
}

type Prepared = { readonly question: ClaimQuestion } | Refusal;

/** Whether an answer is still to come. Most schemas and many questions answer at once, and a mail need not wait for them. */
function isThenable<Value>(value: Value | Promise<Value>): value is Promise<Value> {
  return (
    ((typeof value === "object" && value !== null) || typeof value === "function") &&
    typeof (value as { then?: unknown }).then === "function"
  );
}

function prepare(purpose: string, claim: Claim, item: ClaimItem, clock: Clock): Prepared | Promise<Prepared> {
  if (item.data === undefined)
    return unanswered(purpose, "none", "Give the data with fuse.run({ data }, …), or the plan's `data`.");
  const unread = () => unanswered(purpose, unreadData);
  try {
    // A schema may ask somebody, and has as long as the question itself.
    const parsed = within(claim.timeoutMs, clock, () => claim.data["~standard"].validate(item.data));
    if (isThenable(parsed)) return parsed.then((done) => bind(purpose, claim, item, done)).catch(unread);
    return bind(purpose, claim, item, parsed);
  } catch {
    return unread();
  }
}

const unreadData = "an error, or no answer in time, while the data was read";

type Parsed = Awaited<ReturnType<Claim["data"]["~standard"]["validate"]>>;

/** The question about data that was read, unless it is another person's. */
function bind(purpose: string, claim: Claim, item: ClaimItem, parsed: Parsed | undefined): Prepared {
  if (!parsed) return unanswered(purpose, unreadData);
  if (parsed.issues)
    return unanswered(
      purpose,
      `data of another shape (${parsed.issues.length} mistake${parsed.issues.length > 1 ? "s" : ""})`,
    );
  const other = claim.subject && otherPerson(purpose, claim.subject(parsed.value), item.recipient);
  if (other) return other;
  return { question: { data: parsed.value, person: personOf(item.recipient), message: item.message } };
}

/** The data's own address decides for whom the text was written. */
function otherPerson(purpose: string, subject: unknown, recipient: Recipient): Refusal | undefined {
  const address = typeof subject === "string" ? parseAddress(subject, "subject") : undefined;
  if (!address || "code" in address) return unanswered(purpose, "data whose own address cannot be read");
  if (address.person === recipient.person) return undefined;
  return {
    code: "CLAIM_OTHER_PERSON",
    message: `Expected mail of the purpose "${purpose}" to go to the person its data belongs to, got another recipient.`,
    fix: "Look at how recipients and texts are put together: two lists may be out of step.",
  };
}

function personOf(recipient: Recipient) {
  return { address: recipient.address, ...(recipient.name === undefined ? {} : { name: recipient.name }) };
}

/** The answers, in order: each as it came, or to come in time. */
function ask(
  claim: Claim,
  questions: readonly ClaimQuestion[],
  clock: Clock,
): readonly unknown[] | Promise<readonly unknown[]> {
  if (questions.length === 0) return [];
  const { verify, verifyMany } = claim;
  // Only a subject: that the text belongs to this person is all there is to prove.
  if (!verify && !verifyMany) return questions.map(() => true);
  if (verifyMany && (questions.length > 1 || !verify)) {
    return Promise.resolve(within(claim.timeoutMs, clock, () => verifyMany(questions))).then((answers) =>
      // Another number of answers cannot be matched to the questions.
      Array.isArray(answers) && answers.length === questions.length ? answers : questions.map(() => undefined),
    );
  }
  if (!verify) return [];
  return questions.map(({ data, person, message }) =>
    within(claim.timeoutMs, clock, () => verify(data, person, message)),
  );
}

/** The answer, at once or in time; `undefined`, which means "don't know", after that and for an error. */
function within<Answer>(
  ms: number,
  clock: Clock,
  work: () => Answer | Promise<Answer>,
): Answer | undefined | Promise<Answer | undefined> {
  let answer: Answer | Promise<Answer>;
  try {
    answer = outsideDelivery(work);
    if (!isThenable(answer)) return answer;
  } catch {
    return undefined;
  }
  // Some are promises in name only, and answer with a further one: the time is over when that has answered.
  const coming = Promise.resolve(answer);
  return new Promise((resolve) => {
    const cancel = clock.after(ms, () => resolve(undefined));
    const done = (came: Answer | undefined) => {
      cancel();
      resolve(came);
    };
    coming.then(done, () => done(undefined));
  });
}

function judge(purpose: string, answer: unknown, question: ClaimQuestion): Proof {
  if (answer === false) {
    return {
      code: "CLAIM_FAILED",
      message: `Expected what the mail of the purpose "${purpose}" claims to be true for its recipient, got a no from the system of record.`,
      fix: "Find out why it was sent; in a plan, a named person may exclude the entry.",
    };
  }
  const reference = answer === true ? "" : (answer as ClaimAnswer & { evidence?: unknown })?.evidence;
  if (typeof reference !== "string")
    return unanswered(purpose, "no answer, an error, or one that is neither yes nor no");
  return { evidence: evidenceOf(question.data, reference) };
}

/** A hash over the data, and the reference that proves it, cut to what a ledger line should hold. */
function evidenceOf(data: unknown, reference: string): string {
  let text: string;
  try {
    text = JSON.stringify(data) ?? "";
  } catch {
    text = "";
  }
  // A reference is an id. One that looks like an address would put a person's address into the ledger.
  const safe = reference.includes("@") ? "" : reference.slice(0, 64);
  return `${hash("sha256", text, "base64url").slice(0, 22)}${safe === "" ? "" : `:${safe}`}`;
}

function unanswered(
  purpose: string,
  what: string,
  fix = "Look at the data the mail rests on and at the purpose's `claim`.",
): Refusal {
  const code: ErrorCode = "CLAIM_UNVERIFIABLE";
  return {
    code,
    message: `Expected data that proves what the mail of the purpose "${purpose}" claims, got ${what}.`,
    fix,
  };
}
