/**
 * Counts over time in a bounded number of steps, whatever the span: the steps grow as it does.
 *
 * @module
 */
import type { IncidentStep } from "../incident";

/** What is counted. */
export type StepColumn = "accepted" | "unknown" | "refused" | "stopped";

const most = 120;

type Step = Record<StepColumn, number>;

/** A growing row of steps. */
export class Steps {
  #start: number | undefined;
  #width = 1_000;
  #steps: Step[] = [];

  add(at: number, column: StepColumn, count = 1): void {
    this.#start ??= Math.floor(at / 1_000) * 1_000;
    // A store's time never goes back; a line that says otherwise counts into the first step.
    const offset = Math.max(0, at - this.#start);
    while (Math.floor(offset / this.#width) >= most) this.#widen();
    const index = Math.floor(offset / this.#width);
    for (let missing = this.#steps.length; missing <= index; missing++) this.#steps.push(empty());
    (this.#steps[index] as Step)[column] += count;
  }

  #widen(): void {
    this.#width *= 2;
    const half: Step[] = [];
    for (let index = 0; index < this.#steps.length; index += 2) {
      const [one, two] = [this.#steps[index] as Step, this.#steps[index + 1]];
      half.push(
        two
          ? {
              accepted: one.accepted + two.accepted,
              unknown: one.unknown + two.unknown,
              refused: one.refused + two.refused,
              stopped: one.stopped + two.stopped,
            }
          : one,
      );
    }
    this.#steps = half;
  }

  all(): readonly IncidentStep[] {
    const start = this.#start ?? 0;
    return this.#steps.map((step, index) => ({
      from: start + index * this.#width,
      to: start + (index + 1) * this.#width,
      ...step,
    }));
  }
}

function empty(): Step {
  return { accepted: 0, unknown: 0, refused: 0, stopped: 0 };
}
