/**
 * Forms that only this console made, for this person, this action and this plan as it was shown, and
 * that count once.
 *
 * @module
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "../clock";

/** What a form is bound to. */
export interface Bound {
  readonly actor: string;
  readonly action: string;
  /** The plan's id, a halt's scope, or nothing. */
  readonly subject: string;
  /** The plan's digest as it was shown. */
  readonly digest: string;
}

/** What became of a form's token. */
export type FormAnswer = "good" | "forged" | "expired" | "replayed";

/** How long a form may lie open. */
const life = 30 * 60_000;
/** So many spent tokens are remembered; beyond that the oldest go, which are nearest their end. */
const mostSpent = 100_000;

/** Issues and spends the tokens of forms. */
export class Forms {
  readonly #key: Uint8Array;
  readonly #spent = new Map<string, number>();

  constructor(
    readonly clock: Pick<Clock, "now">,
    secret: string | undefined,
  ) {
    this.#key = secret === undefined ? randomBytes(32) : Buffer.from(secret, "utf8");
  }

  issue(bound: Bound): string {
    const nonce = randomBytes(12).toString("base64url");
    const until = this.clock.now() + life;
    return `${nonce}.${until}.${this.#mac(bound, nonce, until)}`;
  }

  /** Spends a token. Everything that it was made for has to be the same. */
  spend(token: string, bound: Bound): FormAnswer {
    const [, nonce = "", until = "", mac = ""] = /^([\w-]{16})\.(\d{1,16})\.([\w-]{43})$/.exec(token) ?? [];
    const expected = this.#mac(bound, nonce, Number(until));
    if (mac.length !== expected.length || !timingSafeEqual(Buffer.from(mac), Buffer.from(expected))) return "forged";
    const now = this.clock.now();
    if (now > Number(until)) return "expired";
    if (this.#spent.has(nonce)) return "replayed";
    this.#spent.set(nonce, Number(until));
    this.#sweep(now);
    return "good";
  }

  #mac(bound: Bound, nonce: string, until: number): string {
    const text = JSON.stringify([bound.actor, bound.action, bound.subject, bound.digest, nonce, until]);
    return createHmac("sha256", this.#key).update(text).digest("base64url");
  }

  #sweep(now: number): void {
    for (const [nonce, until] of this.#spent) {
      if (until > now && this.#spent.size <= mostSpent) return;
      this.#spent.delete(nonce);
    }
  }
}

/** At most so many tries in a minute. */
export class Limit {
  readonly #tries = new Map<string, number[]>();

  constructor(
    readonly clock: Pick<Clock, "now">,
    readonly most: number,
  ) {}

  /** Whether one more try is allowed; counts it. */
  allows(key: string): boolean {
    const from = this.clock.now() - 60_000;
    const tries = (this.#tries.get(key) ?? []).filter((at) => at > from);
    if (tries.length >= this.most) return false;
    tries.push(this.clock.now());
    this.#tries.delete(key);
    this.#tries.set(key, tries);
    const [oldest] = this.#tries;
    if (oldest?.[1].every((at) => at <= from)) this.#tries.delete(oldest[0]);
    return true;
  }
}
