/**
 * Coalesces concurrent calls of one process into one round trip: what arrives while a batch is
 * under way joins the next. It changes no answer: a store judges each item on its own and in order,
 * calls stay in the order they came, and the items of one call stay together.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { MailfuseError } from "../store";

/** Options of {@link coalesce}. */
export interface CoalesceOptions<Item> {
  /**
   * The most weight of one batch. A single call that is heavier goes alone.
   * @default 256
   */
  readonly most?: number;
  /** What an item weighs, for items that differ much, such as calls to many people. @default 1 */
  readonly weigh?: (item: Item) => number;
  /**
   * Waits one turn of the event loop before the first batch too. For backends that answer within the call:
   * without it no second call could ever arrive while the first is under way.
   * @default false
   */
  readonly gather?: boolean;
  /**
   * Whether an error may be one call's own fault and has certainly changed nothing. Then the calls
   * of the batch go again one by one, so that nobody is refused for a neighbour.
   * @default never
   */
  readonly isolate?: (error: unknown) => boolean;
}

interface Waiting<Item, Answer> {
  readonly items: readonly Item[];
  readonly weight: number;
  readonly resolve: (answers: readonly Answer[]) => void;
  readonly reject: (error: unknown) => void;
}

// Node's own, taken when the module loads: fake timers of a test must not stop the mail it tests.
const nextTurn = setImmediate;

/**
 * Wraps a call that takes many items and answers each. An idle queue's first call goes straight.
 *
 * @example
 * ```ts
 * const reserve = coalesce((all: readonly Reservation[]) => client.reserve(all));
 * const [answer] = await reserve([reservation]);
 * ```
 */
export function coalesce<Item, Answer>(
  run: (items: readonly Item[]) => Promise<readonly Answer[]>,
  options: CoalesceOptions<Item> = {},
): (items: readonly Item[]) => Promise<readonly Answer[]> {
  const { most = 256, weigh, gather = false, isolate = () => false } = options;
  let waiting: Waiting<Item, Answer>[] = [];
  let busy = false;

  function take(): Waiting<Item, Answer>[] {
    let count = 0;
    for (let weight = 0; count < waiting.length; count++) {
      weight += waiting[count]?.weight ?? 0;
      if (count > 0 && weight > most) break;
    }
    const batch = waiting.slice(0, count);
    waiting = waiting.slice(count);
    return batch;
  }

  async function answer(items: readonly Item[]): Promise<readonly Answer[]> {
    const answers = await run(items);
    if (answers.length === items.length) return answers;
    throw new MailfuseError({
      code: "STORE_UNAVAILABLE",
      message: `Expected the store to answer ${items.length} items, got ${answers.length} answers.`,
      fix: "Report this as a defect of the store.",
    });
  }

  async function flush(batch: readonly Waiting<Item, Answer>[]): Promise<void> {
    try {
      const answers = await answer(batch.flatMap((call) => call.items));
      let from = 0;
      for (const call of batch) {
        call.resolve(answers.slice(from, from + call.items.length));
        from += call.items.length;
      }
    } catch (error) {
      if (batch.length > 1 && isolate(error)) for (const call of batch) await flush([call]);
      else for (const call of batch) call.reject(error);
    }
  }

  async function drain(): Promise<void> {
    // A turn after a batch of many: whom it answered asks again within it. Without, a crowd that works in step
    // would go as one batch of one and another of all the rest, for ever.
    for (let turn = gather; ; ) {
      if (turn) await new Promise<void>((resolve) => nextTurn(resolve));
      if (waiting.length === 0) break;
      const batch = take();
      await flush(batch);
      turn = gather || batch.length > 1;
    }
    busy = false;
  }

  return (items) => {
    if (items.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      const weight = weigh ? items.reduce((sum, item) => sum + weigh(item), 0) : items.length;
      waiting.push({ items, weight, resolve, reject });
      if (busy) return;
      busy = true;
      void drain();
    });
  };
}
