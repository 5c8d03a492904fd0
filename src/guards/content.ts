/**
 * Mail that no person would have sent does not leave: placeholders, missing values, test fixtures,
 * links into another environment, one "personal" text for many.
 *
 * @module
 */
import type { Allowlist } from "../allowlist";
import { type ContentLevel, type ContentRule, contentRules, Linted } from "../content";
import { PersonalTexts, readingKey } from "../content/personal";
import type { Refusal } from "../errors";
import type { Guard, Mode, Part, Send } from "../guard";
import type { Message } from "../message";
import type { ContentPolicy } from "../purpose";

/** What of the configuration this guard reads. */
export interface ContentGuardPolicy {
  /** Colleagues: test mail and links into staging are everyday among them. */
  readonly internal: Allowlist;
}

// What live refuses without being told was measured on templates in use: docs/content-lint.md.
const live: Readonly<Record<ContentRule, ContentLevel>> = {
  placeholders: "refuse",
  missingValues: "refuse",
  blanks: "warn",
  empty: "refuse",
  fixtures: "refuse",
  stagingLinks: "refuse",
  productionLinks: "off",
};
// Test data has gaps, and a tester is there to see them.
const test: Readonly<Record<ContentRule, ContentLevel>> = {
  placeholders: "warn",
  missingValues: "warn",
  blanks: "warn",
  empty: "warn",
  fixtures: "off",
  stagingLinks: "off",
  productionLinks: "refuse",
};
/** Rules that have no meaning in the other kind of environment, whatever is configured. */
const never: Readonly<Record<Mode, ReadonlySet<ContentRule>>> = {
  live: new Set(["productionLinks"]),
  observe: new Set(["productionLinks"]),
  test: new Set(["fixtures", "stagingLinks"]),
};
const amongColleagues: ReadonlySet<ContentRule> = new Set(["fixtures", "stagingLinks"]);

/** Makes the guard. */
export function contentGuard({ internal }: ContentGuardPolicy): Guard {
  const texts = new PersonalTexts();
  return function content(send, next) {
    // A plan's texts were judged when it was rehearsed, and leave as they were judged.
    if (send.stage !== "release" && send.redirectedTo === undefined) {
      for (const part of send.parts) judge(send, part, internal, texts);
    }
    return next();
  };
}

function judge(send: Send, part: Part, internal: Allowlist, texts: PersonalTexts): void {
  const policy = part.purpose.content;
  const asked = askedOf(policy, send.mode);
  if (asked.length === 0 && policy.personal === undefined) return;
  for (const message of part.messages) {
    const linted = new Linted(message, { provider: send.provider, links: policy.links });
    for (const [rule, level] of asked) {
      const refusal = linted.check(rule);
      // Who reads it is asked last: nearly no mail has anything to excuse.
      if (!refusal || (amongColleagues.has(rule) && areColleagues(message, internal))) continue;
      say(send, level, placed(send, message, refusal));
    }
    if (policy.personal) judgePersonal(send, part, linted, policy.personal.people, internal, texts);
  }
}

function areColleagues(message: Message, internal: Allowlist): boolean {
  return message.recipients.every((recipient) => internal.allows(recipient));
}

type Asked = readonly (readonly [ContentRule, ContentLevel])[];

/** A purpose's rules that are on, by mode: the same for each of its mails. */
const askedBy = new WeakMap<ContentPolicy, Map<Mode, Asked>>();

function askedOf(policy: ContentPolicy, mode: Mode): Asked {
  const modes = askedBy.get(policy) ?? new Map<Mode, Asked>();
  askedBy.set(policy, modes);
  const asked =
    modes.get(mode) ??
    contentRules.map((rule) => [rule, levelOf(policy, rule, mode)] as const).filter(([, level]) => level !== "off");
  modes.set(mode, asked);
  return asked;
}

function levelOf(policy: ContentPolicy, rule: ContentRule, mode: Mode): ContentLevel {
  if (never[mode].has(rule)) return "off";
  return policy.levels[rule] ?? (mode === "test" ? test : live)[rule];
}

function judgePersonal(
  send: Send,
  part: Part,
  linted: Linted,
  most: number,
  internal: Allowlist,
  texts: PersonalTexts,
): void {
  const key = readingKey(linted.places);
  if (key === undefined) return;
  const people = linted.message.recipients.filter((one) => !internal.allows(one)).map((one) => one.person);
  const readers = texts.add(`${part.purpose.name}\n${key}`, people, most, send.at);
  if (readers <= most) return;
  say(
    send,
    send.mode === "test" ? "warn" : "refuse",
    placed(send, linted.message, {
      code: "CONTENT_IDENTICAL",
      message: `Expected mail of the purpose "${part.purpose.name}" to differ from person to person, got one text for more than ${most}.`,
      fix: "Look at how the text is merged with each person's data; where one text for all is meant, take `content.personal` away.",
    }),
  );
}

function say(send: Send, level: ContentLevel, refusal: Refusal): void {
  if (level === "refuse") send.refuse(refusal);
  else send.warn(refusal);
}

function placed(send: Send, message: Message, refusal: Refusal): Refusal {
  if (send.messages.length <= 1) return refusal;
  const at = `messages[${send.messages.indexOf(message)}]`;
  return { ...refusal, where: refusal.where === undefined ? at : `${at}.${refusal.where}` };
}
