/**
 * Finds the purpose of a message: the one named for it, or the one it shows.
 *
 * @module
 */
import type { Allowlist } from "./allowlist";
import { MailfuseError, type Refusal } from "./errors";
import type { Message } from "./message";
import { correctionName, type Purpose, type PurposeMatch } from "./purpose";

const none: readonly Purpose[] = [];

/** Finds the purposes of messages. */
export class Purposes {
  readonly #declared: ReadonlyMap<string, Purpose>;
  /** Purposes by a tag that their mail has, and those that are told otherwise: a mail is compared with few. */
  readonly #byTag = new Map<string, Purpose[]>();
  readonly #others: readonly Purpose[];
  readonly #claiming: readonly Purpose[];
  readonly fallback: Purpose;
  /** The purpose of corrections: there without being declared, for a declared one may be halted or have no room. */
  readonly correction: Purpose;

  constructor(declared: ReadonlyMap<string, Purpose>, fallback: Purpose, correction: Purpose) {
    this.#declared = declared;
    const { claim: _claim, ...policy } = declared.get(correctionName) ?? correction;
    this.correction = { ...policy, kind: "bulk", correction: true };
    this.#others = [...declared.values()].filter((purpose) => purpose.match.some(({ tag }) => tag === undefined));
    for (const purpose of declared.values()) {
      for (const { tag } of purpose.match)
        if (tag !== undefined) this.#byTag.set(tag, [...(this.#byTag.get(tag) ?? []), purpose]);
    }
    this.#claiming = [...declared.values()].filter((purpose) => (purpose.claim?.looksLike.length ?? 0) > 0);
    this.fallback = fallback;
  }

  get(name: string): Purpose | undefined {
    return this.#declared.get(name);
  }

  /** The purpose of a plan. */
  ofPlan(terms: { readonly purpose: string; readonly correctionOf?: string }): Purpose | undefined {
    return terms.correctionOf === undefined ? this.get(terms.purpose) : this.correction;
  }

  names(): string[] {
    return [...this.#declared.keys()];
  }

  /**
   * The purpose of one message: the one named for it, else the one it matches, else the fallback.
   * A message that matches another purpose than the one named is refused: naming a harmless
   * purpose must be no way around the policy of the true one.
   */
  of(message: Message, named: string | undefined): Purpose | Refusal {
    const purpose = this.#named(message, named);
    if ("code" in purpose) return purpose;
    const like = this.#claiming.find(
      (other) => other !== purpose && other.claim?.looksLike.some((match) => holds(match, message)),
    );
    return like ? untagged(purpose, like) : purpose;
  }

  #named(message: Message, named: string | undefined): Purpose | Refusal {
    const matched = this.#matched(message);
    if (named !== undefined) {
      const purpose = this.#declared.get(named);
      if (!purpose) return unknownPurpose(named, this.names());
      const other = matched.find((candidate) => candidate !== purpose);
      return other ? conflict(named, other.name) : purpose;
    }
    if (matched.length > 1) return ambiguous(matched);
    return matched[0] ?? this.fallback;
  }

  #matched(message: Message): readonly Purpose[] {
    const { tags } = message;
    if (tags.length === 0 && this.#others.length === 0) return none;
    const near = new Set(this.#others);
    for (const tag of tags) for (const purpose of this.#byTag.get(tag) ?? none) near.add(purpose);
    return [...near].filter((purpose) => showsPurpose(purpose, message));
  }
}

/** Whether a message shows by itself that it is of this purpose. */
export function showsPurpose(purpose: Purpose, message: Message): boolean {
  return purpose.match.some((match) => holds(match, message));
}

function holds(match: PurposeMatch, message: Message): boolean {
  if (match.tag !== undefined && !message.tags.includes(match.tag)) return false;
  if (match.from !== undefined && !fromMatches(match.from, message.from)) return false;
  if (match.template !== undefined && message.content().template?.id !== match.template) return false;
  return match.subject === undefined || shows(match.subject, message.content().subject ?? "");
}

/** A subject is matched as it stands, and as people read it: no sign that nobody sees is a way around. */
function shows(pattern: RegExp, subject: string): boolean {
  if (pattern.test(subject)) return true;
  if (!/[^\x20-\x7e]| {2}/.test(subject)) return false;
  return pattern.test(
    subject
      .normalize("NFKC")
      .replace(/[\p{Cf}\p{Cc}\u115f\u2800]/gu, (sign) => (sign === "\t" || sign === "\n" || sign === "\r" ? " " : ""))
      .replace(/\s+/g, " ")
      .trim(),
  );
}

function fromMatches(pattern: Allowlist, from: string | undefined): boolean {
  return from !== undefined && pattern.allows({ address: from, person: from.toLowerCase() });
}

/** A declared purpose, where one is named outside a mail. Throws `PURPOSE_UNKNOWN`. */
export function knownPurpose(purposes: Purposes, name: string): Purpose {
  const purpose = purposes.get(name);
  if (purpose) return purpose;
  throw new MailfuseError({
    code: "PURPOSE_UNKNOWN",
    message: `Expected a declared purpose (${purposes.names().join(", ") || "none is declared"}), got ${String(JSON.stringify(name)).slice(0, 80)}.`,
    fix: "Declare it under `purposes`, or correct its spelling.",
  });
}

function unknownPurpose(name: string, declared: readonly string[]): Refusal {
  return {
    code: "PURPOSE_UNKNOWN",
    message: `Expected a declared purpose (${declared.join(", ") || "none is declared"}), got "${name.slice(0, 80)}".`,
    fix: "Declare it under `purposes`, or correct its spelling where the mail is sent.",
  };
}

function conflict(named: string, matched: string): Refusal {
  return {
    code: "PURPOSE_CONFLICT",
    message: `Expected mail of the purpose "${named}", got mail that matches "${matched}".`,
    fix: "Name the purpose that the mail has, or narrow the `match` of the other one.",
  };
}

function ambiguous(matched: readonly Purpose[]): Refusal {
  return {
    code: "PURPOSE_AMBIGUOUS",
    message: `Expected mail that matches one purpose, got mail that matches ${matched.map((p) => `"${p.name}"`).join(" and ")}.`,
    fix: "Narrow the `match` of one of them, or name the purpose with `fuse.run`.",
  };
}

function untagged(purpose: Purpose, like: Purpose): Refusal {
  const as = purpose.declared ? `as "${purpose.name}"` : "without a purpose";
  return {
    code: "PURPOSE_UNTAGGED",
    message: `Expected mail that looks like "${like.name}" to name that purpose, got it ${as}.`,
    fix: "Name the purpose with its tag or fuse.run, so that its claim is proven, or narrow its `looksLike`.",
  };
}
