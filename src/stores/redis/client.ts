/**
 * The Redis client that was handed in, ioredis or node-redis, told apart by shape and spoken to in
 * one way: scripts by their hash, each answer within a deadline.
 *
 * @module
 */
import { hash } from "node:crypto";
import type { Clock, MailfuseError } from "../../store";
import { closed, Deadline, nonsense as nonsenseFrom, within } from "../deadline";

/** What is used of ioredis 5 and 6, `Redis` and `Cluster`. */
export interface IoRedisClient {
  evalsha(sha1: string, numkeys: number, ...args: string[]): Promise<unknown>;
  eval(script: string, numkeys: number, ...args: string[]): Promise<unknown>;
}

/** What is used of node-redis 5 and 6, `createClient` and `createCluster`. */
export interface NodeRedisClient {
  evalSha(sha1: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

/** A script with the hash that the server knows it by. */
export interface Script {
  readonly source: string;
  readonly sha1: string;
}

/** Makes a {@link Script}. */
export function script(source: string): Script {
  return { source, sha1: hash("sha1", source) };
}

type Run = (how: "hash" | "source", script: Script, key: string, args: string[]) => Promise<unknown>;

/** Speaks to either client; `undefined` when it is neither. */
export function clientRunner(client: unknown): Run | undefined {
  if (isNodeRedis(client)) {
    ignoreLostConnections(client);
    return (how, { source, sha1 }, key, args) => {
      const options = { keys: [key], arguments: args };
      return how === "hash" ? client.evalSha(sha1, options) : client.eval(source, options);
    };
  }
  if (isIoRedis(client)) {
    return (how, { source, sha1 }, key, args) =>
      how === "hash" ? client.evalsha(sha1, 1, key, ...args) : client.eval(source, 1, key, ...args);
  }
  return undefined;
}

/** node-redis ends the process when a connection is lost and nobody listens. It connects again by itself. */
function ignoreLostConnections(client: object): void {
  const emitter = client as { on?: unknown; listenerCount?: unknown };
  if (typeof emitter.on !== "function" || typeof emitter.listenerCount !== "function") return;
  if (emitter.listenerCount("error") === 0) emitter.on("error", () => {});
}

function isNodeRedis(client: unknown): client is NodeRedisClient {
  return hasMethod(client, "evalSha") && hasMethod(client, "eval");
}

function isIoRedis(client: unknown): client is IoRedisClient {
  return hasMethod(client, "evalsha") && hasMethod(client, "eval");
}

function hasMethod(value: unknown, name: string): boolean {
  return typeof value === "object" && value !== null && typeof (value as Record<string, unknown>)[name] === "function";
}

/** One server, as the store's parts speak to it. */
export class Server {
  readonly #run: Run;
  readonly #key: string;
  readonly #clock: Clock;
  readonly #deadline: Deadline;
  #closed = false;

  constructor(run: Run, key: string, clock: Clock, deadlineMs: number) {
    this.#run = run;
    this.#key = key;
    this.#clock = clock;
    this.#deadline = new Deadline(clock, "Redis", deadlineMs);
  }

  get deadlineMs(): number {
    return this.#deadline.ms;
  }

  /** Refuses every further call. The client goes on: it is not ours. */
  close(): void {
    this.#closed = true;
  }

  /**
   * Runs a script that changes nothing. Its answer is a list.
   *
   * @throws `STORE_UNAVAILABLE`
   */
  async read(reader: Script, args: readonly string[]): Promise<readonly unknown[]> {
    return this.#call(reader, [...args], this.#deadline.ms);
  }

  /**
   * Runs a script that writes. Its first argument is `[expires, …]`, see {@link Deadline}. Its answer is the
   * server's time and what follows, or the time alone when it came too late.
   *
   * @throws `STORE_UNAVAILABLE`
   */
  async write(writer: Script, head: readonly unknown[], rest: readonly string[] = []): Promise<readonly unknown[]> {
    return this.#deadline.write(async (expires, left) => {
      const answer = await this.#call(writer, [JSON.stringify([expires, ...head]), ...rest], left);
      return { now: whole(answer[0]), answer: answer.length > 1 ? answer : undefined };
    });
  }

  async #call(called: Script, args: string[], ms: number): Promise<readonly unknown[]> {
    if (this.#closed) throw closed("Redis");
    const answer = await within(this.#clock, ms, "Redis", () => this.#evaluate(called, args));
    if (!Array.isArray(answer) || answer.length === 0) throw nonsense();
    return answer;
  }

  async #evaluate(called: Script, args: string[]): Promise<unknown> {
    try {
      return await this.#run("hash", called, this.#key, args);
    } catch (error) {
      // A restarted server has forgotten its scripts; EVAL teaches it again in the same trip.
      if (error instanceof Error && error.message.startsWith("NOSCRIPT")) {
        return this.#run("source", called, this.#key, args);
      }
      throw error;
    }
  }
}

/** A whole number of an answer; some clients are set to give them as text. */
export function whole(value: unknown): number {
  const number = typeof value === "string" ? Number(value) : value;
  if (typeof number !== "number" || !Number.isSafeInteger(number)) throw nonsense();
  return number;
}

/** A text of an answer. */
export function text(value: unknown): string {
  if (typeof value !== "string") throw nonsense();
  return value;
}

/** A list in an answer. */
export function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw nonsense();
  return value;
}

/** The server answered something that none of our scripts does. */
export function nonsense(): MailfuseError {
  return nonsenseFrom("Redis");
}
