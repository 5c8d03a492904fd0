/**
 * JSON bodies: copied as they would be serialised, and read from text.
 *
 * @module
 */
import { MailfuseError } from "../errors";
import { assertCleanPrototypes, type Plain, type SnapshotLimits, snapshot } from "../snapshot";

/**
 * The copy of a body that a client would serialise with `JSON.stringify`: exactly what would stand
 * on the wire, `toJSON` methods and getters read once. `undefined` when nothing would.
 *
 * @throws {@link MailfuseError} `COPY_CYCLE`, `COPY_TOO_LARGE`, `COPY_UNSUPPORTED`, `PROTOTYPE_POLLUTED`
 */
export function copyJson(value: unknown, limits: SnapshotLimits): Plain {
  if (value === undefined) return undefined;
  assertCleanPrototypes();
  const text = stringify(value, limits);
  if (text === undefined) return undefined;
  if (text.length > limits.bytes) throw tooLarge();
  return snapshot(JSON.parse(text), limits);
}

function stringify(value: unknown, limits: SnapshotLimits): string | undefined {
  let nodes = 0;
  try {
    // Counting ends hostile values (a Proxy of four billion elements) that plain stringify would run on.
    return JSON.stringify(value, (_key, item: unknown) => {
      if (++nodes > limits.nodes) throw tooLarge();
      return item;
    });
  } catch (cause) {
    if (MailfuseError.isInstance(cause)) throw cause;
    if (cause instanceof RangeError) throw tooLarge(cause);
    const cycle = cause instanceof TypeError && /circular|cyclic/i.test(cause.message);
    throw new MailfuseError(
      cycle
        ? { code: "COPY_CYCLE", message: "Expected a request without cycles, got an object that contains itself." }
        : { code: "COPY_UNSUPPORTED", message: "Expected a request that can be written as JSON, got one that cannot." },
      { cause },
    );
  }
}

function tooLarge(cause?: unknown): MailfuseError {
  return new MailfuseError(
    { code: "COPY_TOO_LARGE", message: "Expected a request within the limits of a copy, got a larger or deeper one." },
    cause === undefined ? {} : { cause },
  );
}

/** Reads JSON text; `undefined` when it is none. */
export function readJson(text: string): Plain {
  try {
    return JSON.parse(text) as Plain;
  } catch {
    return undefined;
  }
}
