/**
 * How fast a plan leaves: at most so many messages in any window, over all its workers. The window is
 * the store's; nobody asks it more often than twenty times a window.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import type { Core } from "../core";
import { actionEvent } from "../ledger/events";
import type { Terms } from "./record";

/** Lets time pass, by the fuse's clock. Somebody waits for the release, so the process has to live on meanwhile. */
export function pause(core: Core, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const alive = setInterval(() => {}, longestInterval);
    core.clock.after(ms, () => {
      clearInterval(alive);
      resolve();
    });
  });
}

const longestInterval = 2 ** 31 - 1;

/** Messages that may leave now. */
export class Pacer {
  #room = 0;

  constructor(
    readonly core: Core,
    readonly terms: Terms,
  ) {}

  /** How many of `wanted` messages may leave now; takes them from the store's window. None: `0`. */
  async room(wanted: number): Promise<number> {
    const { rate } = this.terms;
    if (!rate) return wanted;
    if (this.#room < wanted) this.#room += await this.#ask(Math.min(wanted, rate.messages) - this.#room);
    return Math.min(this.#room, wanted);
  }

  /** Uses up what {@link Pacer.room} gave. A call of more messages than the rate ever gives counts as that many. */
  async take(messages: number, stopped: () => boolean): Promise<void> {
    const { rate } = this.terms;
    if (!rate) return;
    const wanted = Math.min(messages, rate.messages);
    while ((await this.room(wanted)) < wanted && !stopped()) await this.wait();
    this.#room -= wanted;
  }

  /** Lets about as much time pass as makes room for one more. */
  wait(): Promise<void> {
    const { rate } = this.terms;
    return pause(this.core, rate ? Math.ceil(Math.max(rate.windowMs / rate.messages, rate.windowMs / 20)) : 0);
  }

  async #ask(messages: number): Promise<number> {
    const { core } = this;
    const { id, environment, rate } = this.terms;
    if (!rate || messages < 1) return 0;
    for (let asked = messages; asked > 0; ) {
      const spend = {
        key: `${environment}:plan:${id}:rate`,
        windowMs: rate.windowMs,
        limit: rate.messages,
        messages: asked,
        enforce: true,
      };
      const event = actionEvent("pace", { plan: id, messages: asked });
      const [answer] = await core.store.reserve([
        { id: `pace-${randomUUID()}`, scopes: [], once: [], caps: [], rates: [spend], event, seen: core.seen },
      ]);
      if (answer?.ok) {
        core.saw(answer.seq);
        return asked;
      }
      // A store that refuses everything refuses the mail itself, and says why there.
      if (answer?.reason !== "cap") return messages;
      // Room for fewer: take what there is. Another worker may take it first, so the next answer counts again.
      asked = Math.min(asked - 1, answer.limit - answer.used);
    }
    return 0;
  }
}
