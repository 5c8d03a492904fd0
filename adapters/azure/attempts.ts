/**
 * All attempts that the pipeline makes for one mail: each further one only after a definite
 * non-acceptance, or as the purpose says.
 *
 * @module
 */
import { type Commit, type Fate, fateOfStatus, isNoConnection } from "../../src/adapter";

/** The attempts for one mail. */
export class Attempts {
  readonly fates: Fate[] = [];
  readonly #commit: Commit;
  #refusal: { readonly error: unknown } | undefined;

  constructor(
    /** What every attempt must be alike in. */
    readonly fingerprint: string,
    commit: Commit,
  ) {
    this.#commit = commit;
  }

  /** Makes one attempt, if it may be made. */
  async attempt<Answer extends { readonly status: number }>(send: () => Promise<Answer>): Promise<Answer> {
    // A policy may take an error for a reason to try again; a refusal stays one.
    if (this.#refusal) throw this.#refusal.error;
    try {
      await this.#commit(this.fates.at(-1));
    } catch (error) {
      this.#refusal = { error };
      throw error;
    }
    try {
      const answer = await send();
      this.fates.push(fateOfStatus(answer.status));
      return answer;
    } catch (error) {
      this.fates.push(isNoConnection(error) ? "failed" : "unknown");
      throw error;
    }
  }
}
