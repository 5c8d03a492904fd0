/**
 * Says why the mails of some work are sent, without changing how they are sent.
 *
 * @module
 */
import type { Core } from "./core";
import type { RunState, SendContext } from "./guard";
import { knownPurpose } from "./purposes";

/** See `Fuse.run`. */
export function runWith<Result>(core: Core, context: SendContext, work: () => Result): Result {
  if (context.purpose !== undefined) knownPurpose(core.settings.purposes, context.purpose);
  const outer = core.frames.getStore();
  const ordinal = context.idempotencyKey === undefined ? {} : { ordinal: counter() };
  const run: RunState = { ended: false, calls: 0 };
  const end = (): void => {
    run.ended = true;
  };
  const frame = { ...outer, context: { ...outer?.context, ...context, ...ordinal, run } };
  let result: Result | undefined;
  try {
    result = core.frames.run(frame, work);
  } finally {
    // Whatever goes on in this context afterwards was not awaited, or is somebody else's.
    if (!(result instanceof Promise)) end();
  }
  if (!(result instanceof Promise)) return result;
  // As `finally`, with one promise where that takes three.
  return result.then(
    (value: unknown) => {
      end();
      return value;
    },
    (error: unknown) => {
      end();
      throw error;
    },
  ) as Result;
}

/** Counts how often each text was given, from 0. */
function counter(): (text: string) => number {
  let counts: Map<string, number> | undefined;
  return (text) => {
    counts ??= new Map();
    const count = counts.get(text) ?? 0;
    counts.set(text, count + 1);
    return count;
  };
}
