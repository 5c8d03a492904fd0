/**
 * Shapes of plain data that people or a store hand in: strict at every level, with words for what
 * was expected, and every mistake found at once. Of a schema library a twentieth would be used, and
 * it would be half of what an application loads at its start.
 *
 * @module
 */

/** Where a value stands, from the outside in. */
export type Path = readonly (string | number)[];

/** One thing that is wrong. */
export interface Mistake {
  readonly path: Path;
  /** What was expected there, as the middle of a sentence. */
  readonly expected: string;
  /** The keys there are, where {@link Mistake.path} ends in one that is not known. */
  readonly known?: readonly string[];
}

/** What a value has to look like. */
export interface Shape {
  readonly expected: string;
  /** Whether the value is of this kind at all. Where a choice is given, the kind tells which one was meant. */
  is(value: unknown): boolean;
  /** What is wrong with a value of this kind. */
  flaws(value: unknown, path: Path): readonly Mistake[];
  /** Whether it may be left out. */
  readonly optional?: true;
}

/** Everything that is wrong with a value; empty when nothing is. */
export function mistakesIn(shape: Shape, value: unknown, path: Path = []): readonly Mistake[] {
  if (value === undefined && shape.optional) return [];
  return shape.is(value) ? shape.flaws(value, path) : [{ path, expected: shape.expected }];
}

const none: readonly Mistake[] = [];

/** Whatever the test holds for. */
export function holds(expected: string, is: (value: unknown) => boolean): Shape {
  return { expected, is, flaws: () => none };
}

/** A text; `fits` says more of it, and `flaw` what was expected where it does not fit. */
export function text(expected: string, fits: (text: string) => boolean = () => true, flaw = expected): Shape {
  return {
    expected,
    is: (value) => typeof value === "string",
    flaws: (value, path) => (fits(value as string) ? none : [{ path, expected: flaw }]),
  };
}

/** A whole number from `least` to `most`. */
export function whole(expected: string, least: number, most = Number.MAX_SAFE_INTEGER): Shape {
  return holds(expected, (value) => Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most);
}

/** One of these values. */
export function oneOf(values: readonly unknown[], expected: string): Shape {
  return holds(expected, (value) => values.includes(value));
}

/** May be left out. */
export function optional(shape: Shape): Shape {
  return { ...shape, optional: true };
}

/** A list of at least so many. */
export function list(item: Shape, expected: string, least = 0): Shape {
  return {
    expected,
    is: (value) => Array.isArray(value) && value.length >= least,
    flaws: (value, path) => Array.from(value as unknown[]).flatMap((one, at) => mistakesIn(item, one, [...path, at])),
  };
}

/** An object with exactly these keys; `rule` is what has to hold once each of them is right. */
export function object(
  keys: Readonly<Record<string, Shape>>,
  expected: string,
  rule?: { readonly expected: string; readonly holds: (value: Readonly<Record<string, unknown>>) => boolean },
): Shape {
  return {
    expected,
    is: isObject,
    flaws(value, path) {
      const given = value as Readonly<Record<string, unknown>>;
      const found = Object.keys(keys).flatMap((key) => mistakesIn(keys[key] as Shape, given[key], [...path, key]));
      // Inherited ones as well: what is not known would be read by nobody.
      for (const key in given)
        if (!Object.hasOwn(keys, key))
          found.push({ path: [...path, key], expected: "a known key", known: Object.keys(keys) });
      return found.length === 0 && rule && !rule.holds(given) ? [{ path, expected: rule.expected }] : found;
    },
  };
}

/** An object of any keys that fit, each with a value of this shape. */
export function record(key: Shape, item: Shape, expected: string): Shape {
  return {
    expected,
    is: (value) => isObject(value) && [Object.prototype, null].includes(Object.getPrototypeOf(value)),
    flaws: (value, path) =>
      Object.entries(value as object).flatMap(([name, one]) => [
        ...mistakesIn(key, name, [...path, name]),
        ...mistakesIn(item, one, [...path, name]),
      ]),
  };
}

/** One of these shapes: any that holds, else the first whose kind it is. */
export function either(shapes: readonly Shape[], expected: string): Shape {
  return {
    expected,
    is: (value) => shapes.some((shape) => shape.is(value)),
    flaws(value, path) {
      const found = shapes.filter((shape) => shape.is(value)).map((shape) => shape.flaws(value, path));
      return found.find((mistakes) => mistakes.length === 0) ?? found[0] ?? none;
    },
  };
}

/** An object of one of these shapes, told apart by what stands under one key. */
export function byKey(key: string, shapes: Readonly<Record<string, Shape>>, expected: string): Shape {
  return {
    expected,
    is: isObject,
    flaws(value, path) {
      const name = (value as Readonly<Record<string, unknown>>)[key];
      const shape = typeof name === "string" && Object.hasOwn(shapes, name) ? shapes[name] : undefined;
      return shape ? shape.flaws(value, path) : [{ path: [...path, key], expected }];
    },
  };
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
