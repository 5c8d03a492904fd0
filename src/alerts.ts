/**
 * Watches for being wrong the other way: right mail that is suddenly refused. Counts by purpose in
 * steps of ten minutes over one day, in this process.
 *
 * @module
 */

/** Refusals in live mode that a person should look at. */
export interface Alert {
  /**
   * `newly-refused`: a purpose whose mail went through all day is refused for a reason it was not
   * refused for before. `refusals-jumped`: the share of refused mail has leapt.
   */
  readonly kind: "newly-refused" | "refusals-jumped";
  readonly purpose: string;
  /** The code of the new reason. */
  readonly code?: string;
  /** Mails refused and passed: in the present step for a jump, in the day before for a new reason. */
  readonly refused: number;
  readonly passed: number;
}

const stepMs = 10 * 60_000;
const steps = 144;
/** So many mails have to pass before a new reason is remarkable. */
const usual = 20;
/** So many refusals, and this share of all mail, make a jump, if it is four times the day's share. */
const jump = { refused: 10, share: 0.2, times: 4 } as const;
/** A jump of one purpose is told once in so many steps. */
const quietSteps = 6;

interface Step {
  readonly number: number;
  passed: number;
  refused: number;
}

interface Watched {
  readonly day: Step[];
  /** The last step in which each code was a reason. */
  readonly codes: Map<string, number>;
  toldJump: number;
}

/** Counts what passes and what is refused; one for each fuse. */
export class Watch {
  readonly #purposes = new Map<string, Watched>();

  constructor(readonly tell: (alert: Alert) => void) {}

  passed(purpose: string, at: number): void {
    this.#step(this.#watched(purpose), at).passed++;
  }

  refused(purpose: string, codes: Iterable<string>, at: number): void {
    const watched = this.#watched(purpose);
    const step = this.#step(watched, at);
    const before = sum(watched.day.filter((other) => other !== step));
    step.refused++;
    for (const code of new Set(codes)) {
      const last = watched.codes.get(code);
      watched.codes.set(code, step.number);
      const isNew = last === undefined || last < step.number - steps;
      if (isNew && before.passed + step.passed >= usual) {
        this.tell({
          kind: "newly-refused",
          purpose,
          code,
          refused: before.refused,
          passed: before.passed + step.passed,
        });
      }
    }
    this.#tellJump(purpose, watched, step, before);
  }

  #tellJump(
    purpose: string,
    watched: Watched,
    step: Step,
    before: { readonly passed: number; readonly refused: number },
  ): void {
    const share = step.refused / (step.refused + step.passed);
    const usualShare = before.refused / Math.max(1, before.refused + before.passed);
    const jumped = step.refused >= jump.refused && share >= jump.share && share >= usualShare * jump.times;
    if (!jumped || step.number < watched.toldJump + quietSteps) return;
    watched.toldJump = step.number;
    this.tell({ kind: "refusals-jumped", purpose, refused: step.refused, passed: step.passed });
  }

  #watched(purpose: string): Watched {
    let watched = this.#purposes.get(purpose);
    if (!watched) {
      watched = { day: [], codes: new Map(), toldJump: Number.NEGATIVE_INFINITY };
      this.#purposes.set(purpose, watched);
    }
    return watched;
  }

  #step(watched: Watched, at: number): Step {
    const number = Math.floor(at / stepMs);
    const last = watched.day.at(-1);
    // A clock that went back counts into the newest step: time only moves on here.
    if (last && last.number >= number) return last;
    const step = { number, passed: 0, refused: 0 };
    watched.day.push(step);
    while ((watched.day[0]?.number ?? number) <= number - steps) watched.day.shift();
    return step;
  }
}

function sum(day: readonly Step[]): { readonly passed: number; readonly refused: number } {
  return day.reduce((total, step) => ({ passed: total.passed + step.passed, refused: total.refused + step.refused }), {
    passed: 0,
    refused: 0,
  });
}
