/**
 * The pool that was handed in, and how texts and lists travel to PostgreSQL.
 *
 * @module
 */
import { hash } from "node:crypto";
import { type Clock, MailfuseError } from "../../store";
import { closed, Deadline, nonsense as nonsenseFrom, within } from "../deadline";

/** What is used of a `pg` Pool. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>;
}

/** What is used of a client of that pool. */
export interface PostgresClient {
  query(query: { text: string; values?: unknown[] }): Promise<{ rows: unknown[] }>;
  /** `true` closes the connection instead of giving it back. */
  release(destroy?: boolean): void;
}

/** One schema of a database, as the store's parts speak to it. Every call is one statement without a name. */
export class Database {
  readonly #pool: PostgresPool;
  readonly #clock: Clock;
  readonly #deadline: Deadline;
  #closed = false;

  constructor(pool: PostgresPool, clock: Clock, deadlineMs: number) {
    this.#pool = pool;
    this.#clock = clock;
    this.#deadline = new Deadline(clock, "PostgreSQL", deadlineMs);
    ignoreIdleErrors(pool);
  }

  get deadlineMs(): number {
    return this.#deadline.ms;
  }

  /** Refuses every further call. The pool goes on: it is not ours. */
  close(): void {
    this.#closed = true;
  }

  /** Runs a statement. */
  async rows(text: string, values: readonly unknown[] = [], ms = this.#deadline.ms): Promise<readonly unknown[]> {
    if (this.#closed) throw closed("PostgreSQL");
    let abandoned = false;
    let held: PostgresClient | undefined;
    const letGo = (destroy: boolean) => {
      // A connection that is destroyed may still say that it broke.
      if (!destroy) listen(held, "removeListener");
      held?.release(destroy);
      held = undefined;
    };
    try {
      return await within(this.#clock, ms, "PostgreSQL", async () => {
        const client = await this.#pool.connect();
        held = client;
        listen(client, "on");
        if (abandoned) letGo(false);
        if (abandoned) return [];
        const query = values.length > 0 ? { text, values: [...values] } : { text };
        const result: unknown = await client.query(query).finally(() => letGo(false));
        // Several statements give a list of results, as a migration does.
        const rows = (Array.isArray(result) ? result.at(-1) : result)?.rows;
        if (!Array.isArray(rows)) throw nonsense();
        return rows;
      });
    } catch (error) {
      abandoned = true;
      // A server that does not answer keeps its connection busy: the pool shall make another one.
      letGo(true);
      throw error;
    }
  }

  /** The server's time, for a caller and for the deadlines of what follows. `now` is the function that tells it. */
  async time(now: string): Promise<number> {
    const time = whole(await this.one(`SELECT ${now}()`));
    this.#deadline.learn(time);
    return time;
  }

  /** Runs a statement that gives one row with one column. */
  async one(text: string, values: readonly unknown[] = []): Promise<unknown> {
    const [row] = await this.rows(text, values);
    if (typeof row !== "object" || row === null) throw nonsense();
    return Object.values(row)[0];
  }

  /**
   * Calls a function that writes, with the time it expires at and the milliseconds it may wait for locks before
   * its own arguments; see {@link Deadline}. It answers a JSON list: the time and what follows, or the time alone.
   */
  async write(name: string, values: readonly unknown[]): Promise<readonly unknown[]> {
    const places = values.map((_, index) => `$${index + 3}`);
    const text = `SELECT ${name}(${["$1", "$2", ...places].join(",")})::text`;
    return this.#deadline.write(async (expires, left) => {
      const answer = list(parse(await this.#late(text, [Math.floor(expires), Math.ceil(left), ...values], left)));
      return { now: whole(answer[0]), answer: answer.length > 1 ? answer : undefined };
    });
  }

  async #late(text: string, values: readonly unknown[], left: number): Promise<unknown> {
    const [row] = await this.rows(text, values, left);
    if (typeof row !== "object" || row === null) throw nonsense();
    return Object.values(row)[0];
  }
}

const ignore = () => {};

/** A connection in use that breaks fails its query; nobody listening, it would end the process as well. */
function listen(client: PostgresClient | undefined, how: "on" | "removeListener"): void {
  const emitter = client as { on?: unknown; removeListener?: unknown } | undefined;
  const method = emitter?.[how];
  if (typeof method === "function") method.call(emitter, "error", ignore);
}

/** An idle connection that breaks must not end the process: the pool makes another one. */
function ignoreIdleErrors(pool: PostgresPool): void {
  const emitter = pool as { on?: unknown; listenerCount?: unknown };
  if (typeof emitter.on !== "function" || typeof emitter.listenerCount !== "function") return;
  if (emitter.listenerCount("error") === 0) emitter.on("error", ignore);
}

const unit = "\u001f";
const plain = /^[^\p{Cc}]{1,200}$/u;
const control = /\p{Cc}/u;

/**
 * A name as a key: itself, or its hash where it is empty, long, or holds what text cannot (PostgreSQL knows no
 * NUL, and an index no long keys). Names of the one kind have no control characters, those of the other begin with one.
 */
export function name(given: string): string {
  return plain.test(given) ? given : `\u0001${hash("sha256", given, "base64url")}`;
}

/** Any text as a value that PostgreSQL takes, without what stands between parts; {@link unpack} gives it back. */
export function pack(value: string): string {
  return value === "" || control.test(value) ? `\u0001${JSON.stringify(value)}` : value;
}

/** Reads what {@link pack} wrote. */
export function unpack(value: unknown): string {
  if (typeof value !== "string") throw nonsense();
  return value.startsWith("\u0001") ? String(JSON.parse(value.slice(1))) : value;
}

/** Names and packed texts as one argument: `string_to_array` reads it faster than an array's own form. */
export function joined(texts: readonly string[]): string {
  return texts.join(unit);
}

/** The ids of windows spent lately: those of purposes stand in every mail. */
const windowIds = new Map<string, string>();

/** A window's key as its id. */
export function windowId(key: string): string {
  const known = windowIds.get(key);
  if (known) return known;
  const hex = hash("sha256", key);
  const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
  if (windowIds.size === 1_000) windowIds.clear();
  windowIds.set(key, id);
  return id;
}

/** A schema's name in SQL. */
export function quoted(schema: string): string {
  return `"${schema.replaceAll('"', '""')}"`;
}

function parse(value: unknown): unknown {
  if (typeof value !== "string") throw nonsense();
  try {
    return JSON.parse(value);
  } catch {
    throw nonsense();
  }
}

/** A whole number of an answer; `pg` gives a bigint as text. */
export function whole(value: unknown): number {
  const number = typeof value === "string" ? Number(value) : value;
  if (typeof number !== "number" || !Number.isSafeInteger(number)) throw nonsense();
  return number;
}

/** A list in an answer. */
export function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw nonsense();
  return value;
}

/** The server answered something that none of our functions does. */
export function nonsense(): MailfuseError {
  return nonsenseFrom("PostgreSQL");
}

/** {@link nonsense}, where an expression is expected. */
export function fail(): never {
  throw nonsense();
}

/** Times as PostgreSQL's bigint takes them; at most a hundred years. */
export function milliseconds(ms: number): number {
  return Math.min(3_155_760_000_000, Math.max(1, Math.ceil(ms)));
}

/** A wrong option, or a database on which a cap would not hold. */
export function invalid(expected: string, fix: string, where = "postgresStore"): MailfuseError {
  return new MailfuseError({ code: "CONFIG_INVALID", message: `Expected ${expected}.`, fix, where });
}
