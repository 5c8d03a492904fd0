/**
 * The walk behind `snapshot`: reads everything once, counts what it reads, and knows where it is.
 *
 * @module
 */
import { Blob } from "node:buffer";
import { MailfuseError, type Refusal } from "../errors";
import { isIterable, notData, ownText, platformValue, rendering } from "./instances";
import { defaultSnapshotLimits, isStream, type Plain, renderPath, type SnapshotLimits } from "./plain";

/** Limits, and what to read. */
export interface SnapshotOptions extends Partial<SnapshotLimits> {
  /**
   * Take these properties of the outermost object and leave the others. What a client ignores, such as a template's
   * context or an ORM document spread into the message, is then neither copied nor judged.
   */
  readonly only?: ReadonlySet<string>;
}

// Writing an integer out takes time that grows with the square of its length.
const hugeInteger = 2n ** 256n;

/** One copy in the making: the rules stand at `snapshot`. */
export class Copier {
  private readonly maxDepth: number;
  private readonly maxNodes: number;
  private readonly maxBytes: number;
  private only: ReadonlySet<string> | undefined;
  private nodes = 0;
  private bytes = 0;
  private depth = 0;
  // The containers around the current value, outermost first, and the key it stands under in each.
  private readonly open: object[] = [];
  private readonly keys: (string | number | undefined)[] = [];
  private refusal: MailfuseError | undefined;

  constructor(options: SnapshotOptions) {
    // The copy recurses; a thousand levels are far from the end of the stack.
    this.maxDepth = Math.min(options.depth ?? defaultSnapshotLimits.depth, 1_000);
    this.maxNodes = options.nodes ?? defaultSnapshotLimits.nodes;
    this.maxBytes = options.bytes ?? defaultSnapshotLimits.bytes;
    this.only = options.only;
  }

  copy(value: unknown): Plain {
    switch (typeof value) {
      case "string":
        this.weigh(value.length);
        return value;
      case "object":
        return value === null ? null : this.object(value, false);
      case "function":
        return this.unsupported("a function", "Pass the data itself.");
      case "symbol":
        return this.unsupported("a symbol", "Pass text.");
      case "bigint":
        if (value >= hugeInteger || value <= -hugeInteger) return this.tooLarge("bits in an integer", 256);
        return value;
      default:
        return value as number | boolean | undefined;
    }
  }

  private object(source: object, rendered: boolean): Plain {
    if (Array.isArray(source)) return this.array(source);
    const prototype: unknown = Object.getPrototypeOf(source);
    if (prototype === Object.prototype || prototype === null) return this.record(source as Record<string, unknown>);
    return this.instance(source, rendered);
  }

  private array(source: readonly unknown[]): Plain[] {
    const at = this.enter(source);
    const length: unknown = source.length;
    if (typeof length !== "number" || !Number.isSafeInteger(length) || length < 0) {
      return this.unsupported("an array whose length is no count", "Pass a plain array.");
    }
    this.count(length);
    const out: Plain[] = [];
    for (let i = 0; i < length; i++) {
      this.keys[at] = i;
      out.push(this.copy(source[i]));
    }
    this.depth = at;
    return out;
  }

  private record(source: object): Plain {
    const only = this.only;
    const at = this.enter(source);
    let out: Record<string, Plain>;
    try {
      // A spread reads every property once, several times as fast as assigning them one by one.
      out = { ...source };
    } catch (error) {
      this.keys[at] = throwingKey(source);
      throw error;
    }
    let ignored = false;
    for (const key in out) {
      if (only !== undefined && !only.has(key)) {
        ignored = true;
        continue;
      }
      this.count(1);
      this.name(at, key);
      const value: unknown = out[key];
      if (typeof value === "string") this.weigh(value.length);
      else if (typeof value === "object" ? value !== null : typeof value !== "number") out[key] = this.copy(value);
    }
    this.depth = at;
    return ignored || Object.getOwnPropertySymbols(out).length > 0 ? pick(out, only) : out;
  }

  private instance(source: object, rendered: boolean): Plain {
    const value = platformValue(source);
    if (value !== undefined) return this.platform(value);
    if (isStream(source)) return source;
    const other = notData(source);
    if (other !== undefined) return this.unsupported(other.what, other.fix);
    const json = rendered ? source : rendering(source);
    if (json !== source) return this.rendered(source, json);
    if (isIterable(source)) return this.unsupported("an iterable", "Pass an array, or an object with its entries.");
    return this.members(source as Record<string, unknown>);
  }

  private platform(value: unknown): Plain {
    if (Buffer.isBuffer(value)) this.weigh(value.length);
    else if (value instanceof Blob) this.weigh(value.size);
    else if (!(value instanceof Date)) return this.copy(value);
    return value;
  }

  // The instance stays open while its rendering is copied: a rendering that leads back to it is a cycle.
  private rendered(source: object, json: unknown): Plain {
    const only = this.only;
    const at = this.enter(source);
    this.only = only;
    this.count(1);
    const out = typeof json === "object" && json !== null ? this.object(json, true) : this.copy(json);
    this.depth = at;
    return out;
  }

  private members(source: Record<string, unknown>): Plain {
    const only = this.only;
    const at = this.enter(source);
    const out: Record<string, Plain> = {};
    const seen = new Set<string>();
    const read = (key: string): void => {
      if (seen.has(key) || (only !== undefined && !only.has(key))) return;
      seen.add(key);
      this.keys[at] = key;
      const value = source[key];
      if (typeof value === "function") return;
      this.name(at, key);
      out[key] = this.copy(value);
    };
    const own = Object.keys(source);
    this.count(own.length);
    for (const key of own) read(key);
    let prototype: object | null = Object.getPrototypeOf(source);
    while (prototype !== null && prototype !== Object.prototype) {
      const names = Object.getOwnPropertyNames(prototype);
      this.count(names.length + 1);
      for (const name of names) if (isReadable(prototype, name)) read(name);
      prototype = Object.getPrototypeOf(prototype);
    }
    this.keys[at] = undefined;
    const text = seen.size === 0 && only === undefined ? ownText(source) : undefined;
    this.depth = at;
    return text === undefined ? out : this.copy(text);
  }

  private enter(container: object): number {
    const at = this.depth;
    if (at >= this.maxDepth) return this.tooLarge("containers within containers", this.maxDepth);
    for (let i = at - 1; i >= 0; i--) if (this.open[i] === container) return this.cycle();
    this.open[at] = container;
    this.keys[at] = undefined;
    this.depth = at + 1;
    // Only the outermost container is taken selectively.
    this.only = undefined;
    return at;
  }

  private name(at: number, key: string): void {
    this.keys[at] = key;
    if (key === "__proto__" || key === "toString") this.unsupported(`a property named ${key}`, "Rename it.");
    this.weigh(key.length);
  }

  private count(values: number): void {
    this.nodes += values;
    if (this.nodes > this.maxNodes) this.tooLarge("values", this.maxNodes);
  }

  private weigh(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes > this.maxBytes) this.tooLarge("bytes", this.maxBytes);
  }

  private tooLarge(unit: string, limit: number): never {
    return this.refuse({
      code: "COPY_TOO_LARGE",
      message: `Expected at most ${limit.toLocaleString("en")} ${unit} in one request, and it holds more.`,
      fix: "Send it in parts, or raise the limit in the configuration.",
    });
  }

  private cycle(): never {
    return this.refuse({
      code: "COPY_CYCLE",
      message: "Expected data that ends, got an object that contains itself.",
      fix: "Pass only the fields that the mail needs.",
    });
  }

  private unsupported(what: string, fix: string): never {
    return this.refuse({ code: "COPY_UNSUPPORTED", message: `Expected data, got ${what}.`, fix });
  }

  private refuse(refusal: Refusal): never {
    this.refusal = this.error(refusal);
    throw this.refusal;
  }

  /** What {@link snapshot} throws: our own refusal, or the reason why the source could not be read. */
  explain(error: unknown): MailfuseError {
    if (error === this.refusal && this.refusal !== undefined) return this.refusal;
    const message = "Expected data, and reading it threw an error.";
    const fix = "See the error's `cause`; a revoked proxy or a getter of the object passed threw it.";
    return this.error({ code: "COPY_UNSUPPORTED", message, fix }, { cause: error });
  }

  private error(refusal: Refusal, options?: { cause: unknown }): MailfuseError {
    const where = renderPath(this.keys.slice(0, this.depth));
    return new MailfuseError(where === "" ? refusal : { ...refusal, where }, options);
  }
}

// Asked only once reading has failed, to say where: by then nothing is sent any more.
function throwingKey(source: object): string | undefined {
  try {
    return Object.keys(source).find((key) => {
      try {
        void (source as Record<string, unknown>)[key];
        return false;
      } catch {
        return true;
      }
    });
  } catch {
    return undefined;
  }
}

// The spread takes symbols and ignored properties along.
function pick(from: Record<string, Plain>, only: ReadonlySet<string> | undefined): Record<string, Plain> {
  const out: Record<string, Plain> = {};
  for (const key of Object.keys(from)) if (only === undefined || only.has(key)) out[key] = from[key];
  return out;
}

// Getters of a class, and data that a constructor's prototype gives to all its instances. Methods are neither.
function isReadable(prototype: object, name: string): boolean {
  if (name === "__proto__" || name === "constructor" || name === "toJSON") return false;
  const property = Object.getOwnPropertyDescriptor(prototype, name);
  if (property === undefined) return false;
  return property.get !== undefined || (property.enumerable === true && typeof property.value !== "function");
}
