/**
 * How the claims of a plan stand: how many were asked and proven, and by how much evidence.
 *
 * @module
 */
import { hash } from "node:crypto";
import { People } from "../people";
import type { PlanSummary } from "./types";

/** References of the system of record that are shown. */
const shownReferences = 5;

/** Counts claims. */
export class ClaimTally {
  #asked = 0;
  #proven = 0;
  #most = 0;
  readonly #evidence = new People();
  readonly #references = new Set<string>();

  /** Counts an entry's claims; `evidence` has one text for each that is proven. */
  add(asked: number, evidence: readonly string[]): void {
    this.#asked += asked;
    for (const one of evidence) {
      this.#proven++;
      this.#most = Math.max(this.#most, this.#evidence.count(hash("sha256", one, "base64url").slice(0, 22)));
      const reference = one.slice(one.indexOf(":") + 1);
      if (one.includes(":") && this.#references.size < shownReferences) this.#references.add(reference);
    }
  }

  result(): NonNullable<PlanSummary["claims"]> {
    return {
      asked: this.#asked,
      proven: this.#proven,
      failed: this.#asked - this.#proven,
      evidence: this.#evidence.size,
      mostShared: this.#most,
      references: [...this.#references],
    };
  }
}
