/**
 * Looks at a ledger line by line, in bounded memory: whether its numbers follow each other, whether
 * the chain over its lines is the one that was signed, and where it is not.
 *
 * @module
 */
import type { KeyObject } from "node:crypto";
import { acknowledgedGap, type LedgerLine } from "../store";
import { claimsSignature, readSigned, type Signed } from "./chain";
import { locate } from "./locate";
import { isAcknowledgement, isEvent } from "./read";
import { Recent } from "./recent";
import type { Head, LedgerProblem, Verdict } from "./verdict";

/** A head known from elsewhere: as much of it as is known. */
export type ExpectedHead = Pick<Head, "upto" | "hash"> & Partial<Pick<Head, "seq" | "at">>;

/** What a {@link Verifier} is told beforehand. */
export interface VerifierOptions {
  /** Keys whose heads hold, by key id. */
  readonly trusted: ReadonlyMap<string, KeyObject>;
  readonly expectedHead?: ExpectedHead;
  /** The number before the first line, where lines before it need not be there. */
  readonly after?: number;
  /** A store that drops its oldest lines by itself. */
  readonly forgets?: boolean;
}

const keptProblems = 100;
const keptHeads = 64;

/** Takes lines in the order of the ledger; {@link Verifier.finish} says what was found. */
export class Verifier {
  readonly #recent = new Recent();
  readonly #problems: LedgerProblem[] = [];
  readonly #notes: string[] = [];
  #problemCount = 0;
  #first = 0;
  #last = 0;
  #heads = 0;
  /** Where heads stand whose signature holds, the newest few. */
  readonly #headPlaces: number[] = [];
  #sealed: Head | undefined;
  /** The place of the last line that a head speaks for. */
  #sealedPlace = -1;
  #trimmed: number | undefined;
  #startsLegally = true;
  #expectedSeen = false;
  #expectedDiffers = false;

  constructor(readonly options: VerifierOptions) {}

  get lines(): number {
    return this.#recent.count;
  }

  add(line: LedgerLine): void {
    if (this.#recent.count === 0) this.#begin(line);
    else this.#follow(line);
    this.#last = Math.max(this.#last, line.seq);
    this.#recent.add(line);
    if (!isEvent(line.event))
      this.problem("unreadable", line.seq, line.seq, `Expected line ${line.seq} to be an event, got something else.`);
    if (claimsSignature(line.event)) this.#signed(line);
    this.#compareExpected(line);
  }

  /** A line that is none; what follows is compared all the same. */
  unreadable(message: string): void {
    this.problem("unreadable", this.#last + 1, this.#last + 1, message);
  }

  /** The last line, cut in its middle. */
  cut(message: string): void {
    this.problem("cut", this.#last + 1, this.#last + 1, message);
  }

  problem(kind: LedgerProblem["kind"], from: number, to: number, message: string): void {
    this.#problemCount++;
    if (this.#problems.length < keptProblems) this.#problems.push({ kind, from, to: Math.max(from, to), message });
  }

  #begin(line: LedgerLine): void {
    const { after = 0, forgets = false } = this.options;
    this.#first = line.seq;
    // The chain starts where the ledger does; elsewhere the first head has to say how it stands there.
    if (line.seq === 1 || isAcknowledgement(line)) this.#recent.begin();
    if (line.seq !== 1 && isAcknowledgement(line))
      this.#notes.push(`The store had lost everything before line ${line.seq}, which says who accepted that.`);
    this.#startsLegally = line.seq === 1 || line.seq <= after + 1 || forgets || isAcknowledgement(line);
  }

  #follow(line: LedgerLine): void {
    const expected = this.#last + 1;
    if (line.seq === expected) return;
    if (line.seq < expected) {
      const message = `Expected line ${expected} after line ${this.#last}, got line ${line.seq}.`;
      this.problem("reordered", line.seq, this.#last, message);
      return;
    }
    if (isAcknowledgement(line) && line.seq - this.#last >= acknowledgedGap) {
      this.#notes.push(
        `Whatever stood between line ${this.#last} and line ${line.seq} was lost by the store; line ${line.seq} says who accepted that.`,
      );
      return;
    }
    this.problem(
      "removed",
      expected,
      line.seq - 1,
      `Expected line ${expected} after line ${this.#last}, got line ${line.seq}: ${line.seq - expected} missing.`,
    );
  }

  #signed(line: LedgerLine): void {
    const signed = readSigned(line.event, this.options.trusted);
    if (!signed) {
      const unknown = keyOf(line.event, this.options.trusted);
      const got =
        unknown === undefined ? "one that does not" : `one by the key "${unknown}", which is not trusted here`;
      this.problem(
        "head",
        line.seq,
        line.seq,
        `Expected line ${line.seq} to carry a signature that holds, got ${got}.`,
      );
    } else if (signed.type === "trimmed") this.#mark(signed);
    else this.#head(line, signed);
  }

  #mark({ upto, hash }: Extract<Signed, { type: "trimmed" }>): void {
    this.#trimmed = Math.max(this.#trimmed ?? 0, upto);
    const next = this.#recent.placeOf(upto + 1);
    if (!this.#recent.begun && next !== undefined) this.#recent.rebase(next, hash);
  }

  #head({ seq, at }: LedgerLine, head: Extract<Signed, { type: "sealed" }>): void {
    const recent = this.#recent;
    const { from, prev, upto, hash, kid } = head;
    this.#heads++;
    this.#headPlaces.push(recent.count - 1);
    if (this.#headPlaces.length > keptHeads) this.#headPlaces.shift();
    const place = recent.placeOf(upto);
    if (!recent.begun) {
      const [own, next] = [recent.placeOf(from + 1), recent.placeOf(upto + 1)];
      if (own !== undefined) recent.rebase(own, prev);
      else if (next !== undefined) {
        // The first of its lines are gone: the rest of them can be compared by nobody, what follows can.
        recent.rebase(next, hash);
        this.#seal({ seq, upto, hash, kid, at }, next - 1);
        return;
      } else return;
    }
    if (place === undefined && upto < recent.numberAt(recent.first)) {
      // Its lines were trimmed, and the next head speaks for what is left; or others were put in between.
      if (recent.first > 0)
        this.problem(
          "head",
          upto,
          seq,
          `Expected the head in line ${seq} near its lines, got it too far behind to be compared: lines were put in between, or a sealer stood still for long.`,
        );
      return;
    }
    if (place === undefined || recent.chainAt(place) !== hash) {
      const before = { first: this.#first, sealed: this.#sealed?.upto };
      for (const { kind, from: low, to: high, message } of locate(recent, seq, head, place, before))
        this.problem(kind, low, high, message);
      if (place !== undefined) recent.rebase(place + 1, hash);
    }
    this.#seal({ seq, upto, hash, kid, at }, place);
  }

  #seal(head: Head, place: number | undefined): void {
    if (this.#sealed && this.#sealed.upto > head.upto) return;
    this.#sealed = head;
    if (place !== undefined) this.#sealedPlace = place;
  }

  #compareExpected({ seq, at, event }: LedgerLine): void {
    const { expectedHead } = this.options;
    if (!expectedHead) return;
    if (seq === expectedHead.upto) {
      const chain = this.#recent.chainAt(this.#recent.count - 1);
      if (chain !== undefined && chain !== expectedHead.hash) this.#expectedDiffers = true;
    }
    if (seq !== (expectedHead.seq ?? expectedHead.upto)) return;
    this.#expectedSeen = true;
    if (expectedHead.seq === undefined) return;
    const signed = readSigned(event, this.options.trusted);
    const same = signed?.type === "sealed" && signed.hash === expectedHead.hash && signed.upto === expectedHead.upto;
    if (!same || (expectedHead.at !== undefined && expectedHead.at !== at))
      this.problem("altered", seq, seq, `Expected line ${seq} to be the known head, got something else.`);
  }

  finish(): Verdict {
    const recent = this.#recent;
    const { expectedHead, after = 0 } = this.options;
    const [first, last] = [this.#first, this.#last];
    const gone = first > 1 && (this.#trimmed ?? 0) >= first - 1;
    if (!this.#startsLegally && !gone)
      this.problem("removed", after + 1, first - 1, `Expected line ${after + 1} first, got line ${first}.`);
    if (expectedHead && !this.#expectedSeen) {
      const wanted = expectedHead.seq ?? expectedHead.upto;
      if (wanted > last || recent.count === 0)
        this.problem(
          "truncated",
          last + 1,
          wanted,
          `Expected lines up to ${wanted}, where a head is known to stand, got ${last === 0 ? "none" : `them up to ${last}`}.`,
        );
      else if (wanted >= first)
        this.problem("removed", wanted, wanted, `Expected line ${wanted}, where a head is known to stand, got none.`);
    }
    // Where a head of the ledger itself has said which lines, the known one adds nothing.
    if (this.#expectedDiffers && this.#problemCount === 0) {
      const upto = expectedHead?.upto ?? last;
      this.problem("altered", first, upto, `Expected the lines up to ${upto} as the known head has them, got others.`);
    }
    const unsealed = this.#unsealed();
    return {
      ok: this.#problemCount === 0,
      problems: this.#problems,
      problemCount: this.#problemCount,
      lines: recent.count,
      first,
      last,
      heads: this.#heads,
      ...(this.#sealed ? { sealed: this.#sealed } : {}),
      unsealed,
      ...(gone && this.#trimmed !== undefined ? { trimmed: first - 1 } : {}),
      notes: this.#notes,
    };
  }

  /** What came after the newest head's last line, heads aside. */
  #unsealed(): Verdict["unsealed"] {
    const recent = this.#recent;
    const from = this.#sealedPlace + 1;
    const heads = new Set(this.#headPlaces.filter((place) => place >= from));
    const lines = recent.count - from - heads.size;
    if (lines <= 0) return { lines: 0 };
    let place = Math.max(from, recent.first);
    while (heads.has(place)) place++;
    return { lines, since: recent.timeAt(place) };
  }
}

/** The key a head names, when it is none of those trusted. */
function keyOf(event: string, trusted: ReadonlyMap<string, KeyObject>): string | undefined {
  const kid = /"kid":"([A-Za-z0-9_-]{16})"/.exec(event)?.[1];
  return kid !== undefined && !trusted.has(kid) ? kid : undefined;
}
