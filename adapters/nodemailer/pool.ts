/**
 * The pool's resources: a pooled transport's `send` only queues, so the last word is asked here,
 * when a connection is open and the mail's turn has come. A halt then stops what is queued.
 *
 * @module
 */
import type { Commit, Fate } from "../../src/adapter";
import { MailfuseError } from "../../src/catching";
import type { MailMessage, MailTransport, SendCallback } from "./shapes";

interface Resource {
  _connected?: boolean;
  _closed?: boolean;
  available?: boolean;
  send(mail: MailMessage, callback: SendCallback): unknown;
  emit?(event: string): unknown;
  _release?(): unknown;
}

/** What the adapter uses of nodemailer's pool. */
export interface Pool extends MailTransport {
  _createConnection(): Resource;
  _connections?: Resource[];
  _queue: { mail: MailMessage }[];
  _processMessages?(): unknown;
  _checkRateLimit?(callback: () => void): unknown;
  pendingCount?(): number;
  idling?: boolean;
  options: { maxConnections?: number };
}

/** Guards the resources of one pool. */
export class PoolGuard {
  readonly #tickets = new WeakMap<MailMessage, Ticket>();
  /** Queued before the fuse was attached. */
  readonly #earlier = new WeakSet<MailMessage>();
  readonly #create: Pool["_createConnection"];
  readonly #restoreCreate: () => void;
  readonly #restoreCount: (() => void) | undefined;
  /** Sent by the application, and neither queued nor refused yet. */
  #arriving = 0;
  #waiting = 0;
  #detached = false;

  constructor(private readonly pool: Pool) {
    for (const entry of pool._queue) this.#earlier.add(entry.mail);
    const { _createConnection: create, pendingCount: count } = pool;
    this.#create = () => {
      const resource = create.call(pool);
      this.#guard(resource);
      return resource;
    };
    this.#restoreCreate = replace(pool, "_createConnection", this.#create);
    if (count) this.#restoreCount = replace(pool, "pendingCount", () => count.call(pool) + this.#arriving);
    for (const resource of pool._connections ?? []) this.#guard(resource);
  }

  /**
   * Counts a mail from the moment the application sends it. Applications fill a pool while
   * `isIdle()` says so, all in one turn of the event loop, and a mail reaches the queue later.
   *
   * @returns What to call when it is about to be queued (`true`) or will not be (`false`).
   */
  arrive(): (queued: boolean) => void {
    const { pool } = this;
    this.#arriving++;
    const places = pool.options.maxConnections ?? 1;
    if (pool.idling && pool._queue.length + this.#arriving >= places) pool.idling = false;
    let counted = true;
    return (queued) => {
      if (!counted) return;
      counted = false;
      this.#arriving--;
      // Its place is free again: have the pool say so, as it does after a mail of its own.
      if (!queued) setImmediate(() => pool._processMessages?.());
    };
  }

  /** Queues a mail by `queue`; `commit` is asked when a connection takes it. */
  async send(
    mail: MailMessage,
    commit: Commit,
    attempted: () => boolean,
    queue: () => Promise<unknown>,
  ): Promise<unknown> {
    this.#tickets.set(mail, new Ticket(commit, attempted));
    this.#waiting++;
    try {
      return await queue();
    } finally {
      this.#waiting--;
      if (this.#detached) this.#restore();
    }
  }

  /** Whether new resources are still guarded. */
  get intact(): boolean {
    return this.pool._createConnection === this.#create;
  }

  /** Lets go of the pool, once the mails that are queued have left it. */
  detach(): void {
    this.#detached = true;
    this.#restoreCount?.();
    this.#restore();
  }

  #restore(): void {
    if (this.#waiting > 0 || !this.intact) return;
    this.#restoreCreate();
    for (const resource of this.pool._connections ?? []) Reflect.deleteProperty(resource, "send");
  }

  #guard(resource: Resource): void {
    const original = resource.send;
    resource.send = (mail, callback) => {
      // Unconnected, it connects first and then comes back here.
      if (resource._closed || !resource._connected) return original.call(resource, mail, callback);
      const ticket = this.#tickets.get(mail);
      if (!ticket) {
        if (this.#earlier.has(mail) || this.#detached) return original.call(resource, mail, callback);
        return this.#refuse(resource, callback, new MailfuseError(unguarded));
      }
      ticket.attempt().then(
        // Closed meanwhile: the pool has queued the mail again, or failed it.
        () => void (resource._closed || original.call(resource, mail, callback)),
        (refusal: unknown) => this.#refuse(resource, callback, refusal),
      );
      return undefined;
    };
  }

  /** Answers the caller and hands the resource back as after a sent mail: it has sent nothing. */
  #refuse(resource: Resource, callback: SendCallback, refusal: unknown): void {
    const { pool } = this;
    callback(refusal);
    setImmediate(() => {
      if (resource._closed) return;
      if (typeof resource._release === "function") {
        resource._release();
        return;
      }
      // nodemailer before 10 does this in place.
      const free = (): void => {
        resource.available = true;
        resource.emit?.("available");
      };
      if (pool._checkRateLimit) pool._checkRateLimit(free);
      else free();
    });
  }
}

/** Replaces a method of one object; answers with what puts back what was there. */
function replace(object: object, key: string, value: unknown): () => void {
  const own = Object.getOwnPropertyDescriptor(object, key);
  Object.defineProperty(object, key, { configurable: true, writable: true, value });
  return () => {
    if (own) Object.defineProperty(object, key, own);
    else Reflect.deleteProperty(object, key);
  };
}

/** One queued mail: a pool may try it several times, on one connection after another. */
class Ticket {
  #attempts = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly commit: Commit,
    private readonly attempted: () => boolean,
  ) {}

  /** Asks for the last word. Attempts follow each other: the one before may still be asking. */
  attempt(): Promise<unknown> {
    const turn = this.#attempts++ === 0 ? this.commit() : this.#last.then(() => this.commit(this.#fate()));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  #fate(): Fate {
    return this.attempted() ? "unknown" : "failed";
  }
}

const unguarded = {
  code: "CHOKE_POINT_CHANGED",
  message: "Expected a mail that passed the fuse, got one put into the pool's queue past it.",
  fix: "Send with transporter.sendMail.",
} as const;
