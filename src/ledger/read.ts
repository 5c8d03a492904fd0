/**
 * Reads events back. What is in a ledger was written by some version of a fuse, or by nobody knows
 * whom: every field is checked before it is used.
 *
 * @module
 */
import type { Fate, LedgerLine } from "../store";

/** The fields of events that reports read, those of each type that has them. */
export interface EventFields {
  readonly type: string;
  readonly id?: string;
  readonly env?: string;
  readonly purposes?: readonly string[];
  readonly people?: readonly string[];
  /** How many of the people each purpose has. */
  readonly split?: readonly number[];
  readonly plan?: string;
  readonly entry?: number;
  readonly fate?: Fate;
  /** Fates of single people. */
  readonly fates?: ReadonlyMap<string, Fate>;
  readonly reasons?: Readonly<Record<string, number>>;
  /** People a refused call would have reached. */
  readonly count?: number;
  readonly scope?: string;
  readonly reason?: string;
  readonly by?: string;
  readonly state?: string;
}

const fateNames: ReadonlySet<unknown> = new Set<Fate>(["accepted", "refused", "failed", "unknown"]);

/** An event's fields; `undefined` for a line that is no event. */
export function readEvent(line: Pick<LedgerLine, "event">): EventFields | undefined {
  const read = parse(line.event);
  if (!read) return undefined;
  const { id, env, plan, entry, count, scope, reason, state, by, fate, people, purposes, purpose, split } = read;
  const names = list(purposes) ?? (typeof purpose === "string" ? [purpose] : undefined);
  return {
    type: typeof read.type === "string" ? read.type : "",
    ...texts({ id, env, plan, scope, reason, state, by: Array.isArray(by) ? by.join(", ") : by }),
    ...(typeof entry === "number" ? { entry } : {}),
    ...(typeof count === "number" ? { count } : {}),
    ...(names ? { purposes: names } : {}),
    ...(Array.isArray(people) ? { people: list(people) ?? [] } : {}),
    ...(Array.isArray(split) ? { split: split.map(Number) } : {}),
    ...(fateNames.has(fate) ? { fate: fate as Fate } : {}),
    ...fatesOf(people),
    ...(isRecord(read.reasons) ? { reasons: numbers(read.reasons) } : {}),
  };
}

/** The people of an event who belong to a purpose. */
export function peopleOf({ purposes = [], people = [], split }: EventFields, purpose: string): readonly string[] {
  const index = purposes.indexOf(purpose);
  if (index < 0) return [];
  if (!split) return people;
  const start = split.slice(0, index).reduce((sum, size) => sum + size, 0);
  return people.slice(start, start + (split[index] ?? 0));
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const read: unknown = JSON.parse(text);
    return isRecord(read) ? read : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function texts(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(fields).filter((pair): pair is [string, string] => typeof pair[1] === "string"),
  );
}

function list(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : undefined;
}

function numbers(record: Readonly<Record<string, unknown>>): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(record).filter((pair): pair is [string, number] => typeof pair[1] === "number"),
  );
}

function fatesOf(people: unknown) {
  if (!isRecord(people)) return {};
  const fates = Object.entries(people).filter((pair): pair is [string, Fate] => fateNames.has(pair[1]));
  return { fates: new Map(fates) };
}

/** Whether a line says that a person accepted a loss of the store. */
export function isAcknowledgement({ event }: Pick<LedgerLine, "event">): boolean {
  return event.startsWith('{"v":1,"type":"acknowledged"');
}

/** Whether a text is an event: one JSON object. What a fuse writes is told by its beginning, for speed. */
export function isEvent(event: string): boolean {
  if (event.startsWith('{"v":1,"type":"') && event.endsWith("}")) return true;
  return parse(event) !== undefined;
}
