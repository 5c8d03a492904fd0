/**
 * The PostgreSQL store: caps, claims, halts, plans, their spool and the ledger of all processes, in one schema of
 * PostgreSQL 13 or newer.
 *
 * ```ts
 * import { Pool } from "pg";
 * import { postgresStore } from "mailfuse/stores/postgres";
 *
 * const store = postgresStore({ pool: new Pool() });
 * await store.migrate(); // once, for example in a deployment step
 * ```
 *
 * Every operation is one call of a function in the schema: one statement, one transaction. It works behind PgBouncer
 * in transaction mode: no named statements, locks that end with the transaction, nothing kept in a session.
 *
 * @see https://www.postgresql.org/docs/current/transaction-iso.html
 * @module
 */
import {
  type Clock,
  type PlanChange,
  type PlanChangeAnswer,
  type PlanRow,
  type Reservation,
  type ReserveAnswer,
  type Settlement,
  type SpoolEntry,
  type Store,
  systemClock,
} from "../store";
import { coalesce } from "./coalesce";
import { addressesIn } from "./postgres/addresses";
import { checkDatabase } from "./postgres/check";
import {
  Database,
  invalid,
  joined,
  milliseconds,
  name,
  nonsense,
  type PostgresPool,
  pack,
  quoted,
  unpack,
  whole,
  windowId,
} from "./postgres/database";
import {
  capRefusal,
  entryStates,
  haltText,
  label,
  letter,
  People,
  ReserveCall,
  readHalt,
  spendAt,
  spendRows,
} from "./postgres/encode";
import { migration } from "./postgres/schema";
import { stagingIn } from "./postgres/staging";
import { isLarge, Staging, settleStaging, weight } from "./staging";

export type { PostgresClient, PostgresPool } from "./postgres/database";

/** Options of {@link postgresStore}. */
export interface PostgresStoreOptions {
  /** A `Pool` of `pg`. It is yours: the store never ends it. */
  readonly pool: PostgresPool;
  /** The schema that holds the tables and functions. Fuses that share it share everything. @default "mailfuse" */
  readonly schema?: string;
  /**
   * How long an answer may take before the mail is refused, milliseconds. A connection that does not answer in time
   * is closed, so that the pool makes another one.
   * @default 2_000
   */
  readonly deadlineMs?: number;
  /** For the deadline only: what counts is the server's time. @default the machine's clock */
  readonly clock?: Clock;
}

/** A {@link Store} in PostgreSQL. */
export interface PostgresStore extends Store {
  /**
   * Makes the schema, its tables and functions, or brings them up to date: one transaction under an advisory lock, so
   * that any number of processes may do it at once. Running it again changes nothing.
   */
  migrate(): Promise<void>;
  /**
   * Removes rows whose time is over, a bounded number; resolves to how many. The store does it by itself about once a
   * minute while mail is sent, so this is for those who want to do it at night.
   */
  prune(): Promise<number>;
}

/** How many rows of each kind one pruning removes, and how long after the one before it comes. */
const pruneRows = 2_000;
const pruneMs = 60_000;

/** A migration may wait for another one. */
const migrationMs = 60_000;

/**
 * The statements of {@link PostgresStore.migrate}, for migrations that are run by other means: as one script in one
 * transaction, by a role that owns the schema.
 */
export function postgresMigration(schema = "mailfuse"): string {
  return migration(checkSchema(schema));
}

/**
 * A store in PostgreSQL, shared by all processes that use the same database and schema.
 *
 * A reserve that timed out here may have been carried out there: its mail was refused, its budget stays
 * spent until the window has passed.
 *
 * @throws `CONFIG_INVALID` for a wrong option; from `open()` also for a database that was not migrated, is older than
 * 13, not in UTF8, or whose default isolation is not READ COMMITTED
 *
 * @example
 * ```ts
 * const store = postgresStore({ pool: new Pool({ connectionString }), schema: "mailfuse" });
 * ```
 */
export function postgresStore(options: PostgresStoreOptions): PostgresStore {
  const { pool, clock = systemClock, deadlineMs = 2_000 } = options;
  const schema = checkSchema(options.schema ?? "mailfuse");
  if (typeof pool?.connect !== "function") {
    throw invalid("a Pool of pg", "Pass `new Pool(...)` from pg.", "postgresStore.pool");
  }
  if (!Number.isSafeInteger(deadlineMs) || deadlineMs < 1) {
    throw invalid("a deadline in whole milliseconds", "Leave it out for 2,000.", "postgresStore.deadlineMs");
  }
  const database = new Database(pool, clock, deadlineMs);
  const s = quoted(schema);
  const staging = stagingIn(database, s);

  async function prune(): Promise<number> {
    const [, removed] = await database.write(`${s}.prune`, [pruneRows]);
    return whole(removed);
  }

  let prunedAt = clock.now();
  function pruneAtTimes(): void {
    const now = clock.now();
    if (Math.abs(now - prunedAt) < pruneMs) return;
    prunedAt = now;
    // Beside the sends, and without a say in them. What it cannot remove now it removes later.
    prune().catch(() => {});
  }

  /** What stands in somebody's way is rare, and only then the batch travels again, told at length. */
  async function reserveBatch(call: ReserveCall): Promise<readonly unknown[]> {
    const short = call.short();
    const reply = short && (await database.write(`${s}.reserve`, short));
    return reply && reply[1] !== null ? reply : database.write(`${s}.reserve_each`, call.each());
  }

  const reserveSmall = coalesce(
    async (reservations: readonly Reservation[]) => {
      const call = new ReserveCall(reservations);
      const answers = call.answers(await reserveBatch(call));
      pruneAtTimes();
      return answers.map((answer) => answer ?? fail());
    },
    { weigh: weight, most: 1_500 },
  );

  async function reserveLarge(reservation: Reservation): Promise<ReserveAnswer> {
    const dry = new ReserveCall([reservation], { dry: true });
    const [obstacle] = dry.answers(await database.write(`${s}.reserve_each`, dry.each()));
    if (obstacle) return obstacle;
    const staged = await Staging.begin(staging, reservation.caps, reservation.rates);
    return settleStaging(staged, async () => {
      const call = new ReserveCall([reservation], { staged });
      const [answer] = call.answers(await database.write(`${s}.reserve_each`, call.each()));
      return answer;
    });
  }

  async function change(wanted: PlanChange, staged?: Staging, dry = false): Promise<PlanChangeAnswer | undefined> {
    const caps = wanted.caps ?? [];
    const people = new People();
    const row = {
      i: name(wanted.id),
      v: wanted.version,
      o: (wanted.scopes ?? []).map(name),
      t: (wanted.tokens ?? []).map(({ id, until }) => [name(id), until]),
      c: dry ? [] : spendRows(caps, [], people, staged),
      ...(staged ? { z: staged.stamp } : {}),
      ...(dry ? { d: true } : {}),
    };
    const given = [pack(wanted.state), pack(wanted.record), pack(wanted.event)];
    const values = [JSON.stringify(row), joined(people.names), ...given];
    const [at, kind, first, second, third] = await database.write(`${s}.change_plan`, values);
    switch (kind) {
      case "ok":
        return { ok: true, version: wanted.version + 1, seq: whole(first), at: whole(at) };
      case "version":
        return { ok: false, reason: "version" };
      case "halted":
        return { ok: false, reason: "halted", halt: readHalt(first, second) };
      case "token":
        return { ok: false, reason: "token", id: spendAt(wanted.tokens ?? [], first).id };
      case "cap":
        return capRefusal(spendAt(caps, first), second, third);
      case "dry":
      case "late":
        return undefined;
      default:
        return fail();
    }
  }

  const settleMany = coalesce(async (settlements: readonly Settlement[]) => {
    const column = (read: (settlement: Settlement) => string) => joined(settlements.map(read));
    const partly = settlements.some((settlement) => settlement.refusedPeople?.length);
    const [, numbers] = await database.write(`${s}.settle`, [
      column(({ reservation }) => name(reservation)),
      column(({ reservation }) => label(reservation)),
      column(({ fate }) => fate),
      column(({ messageId }) => (messageId === undefined ? "" : pack(messageId))),
      column(({ event }) => pack(event)),
      partly ? JSON.stringify(settlements.map(({ refusedPeople = [] }) => refusedPeople.map(name))) : "",
    ]);
    if (Array.isArray(numbers)) return numbers.map(whole);
    return settlements.map((_, index) => whole(numbers) + index);
  });

  const appendMany = coalesce(async (events: readonly string[]) => {
    const [, first] = await database.write(`${s}.append`, [joined(events.map(pack))]);
    return events.map((_, index) => whole(first) + index);
  });

  return {
    async migrate() {
      await database.rows(migration(schema), undefined, migrationMs);
    },
    prune,
    async open() {
      const facts = await checkDatabase(database, schema, s);
      await database.time(`${s}.now`);
      return facts;
    },
    async now() {
      return database.time(`${s}.now`);
    },
    async setOnce(key, value) {
      const [, kept] = await database.write(`${s}.set_once`, [name(key), pack(value)]);
      return unpack(kept);
    },
    async value(key) {
      const kept = await database.one(`SELECT (SELECT value FROM ${s}.kept WHERE name = $1)`, [name(key)]);
      return kept === null ? undefined : unpack(kept);
    },
    async forget(key) {
      await database.rows(`DELETE FROM ${s}.kept WHERE name = $1`, [name(key)]);
    },
    async lease(key, holder, ms) {
      const values = [name(key), pack(holder), ms > 0 ? milliseconds(ms) : 0];
      const [, taken] = await database.write(`${s}.lease`, values);
      return whole(taken) === 1;
    },

    async reserve(reservations) {
      if (!reservations.some(isLarge)) return reserveSmall(reservations);
      const answers: ReserveAnswer[] = [];
      for (const reservation of reservations) {
        if (isLarge(reservation)) answers.push(await reserveLarge(reservation));
        else answers.push(...(await reserveSmall([reservation])));
      }
      return answers;
    },
    settle: settleMany,
    async usage(asked) {
      const ids = asked.map(({ key }) => windowId(`c:${key}`)).join();
      const rows = await database.rows(
        `SELECT (SELECT count(*) FROM ${s}.people p WHERE p.win = u.id AND p.stamp > ${s}.cutoff(${s}.now(), u.length)) AS used
        FROM unnest(string_to_array($1, ',')::uuid[], string_to_array($2, ',')::bigint[]) WITH ORDINALITY AS u (id, length, n)
        ORDER BY u.n`,
        [ids, asked.map(({ windowMs }) => milliseconds(windowMs)).join()],
      );
      return rows.map((row) => whole((row as { used: unknown }).used));
    },

    async halt(record, event) {
      await database.write(`${s}.halt`, [name(record.scope), haltText(record), pack(event)]);
    },
    async resume(scope, event) {
      const [, was] = await database.write(`${s}.resume`, [name(scope), pack(event)]);
      return whole(was) === 1;
    },
    async halts() {
      const rows = (await database.rows(`SELECT at, record FROM ${s}.halts`)) as readonly {
        at: unknown;
        record: unknown;
      }[];
      const records = rows.map(({ at, record }) => readHalt(at, record));
      return records.sort((a, b) => (a.scope < b.scope ? -1 : 1));
    },
    async acknowledge(event) {
      const [, number] = await database.write(`${s}.acknowledge`, [pack(event)]);
      return whole(number);
    },

    append: appendMany,
    async read(after, limit) {
      const text = `SELECT seq, at, event FROM ${s}.ledger WHERE seq > $1 ORDER BY seq LIMIT $2`;
      const rows = (await database.rows(text, [after, Math.max(0, limit)])) as readonly Record<string, unknown>[];
      return rows.map((row) => ({ seq: whole(row.seq), at: whole(row.at), event: unpack(row.event) }));
    },
    async trim(seq) {
      await database.rows(`DELETE FROM ${s}.ledger WHERE seq <= $1`, [seq]);
    },

    ...addressesIn(database, s),

    async addPlan({ id, state, record }, event) {
      const values = [name(id), pack(id), pack(state), pack(record), pack(event)];
      const [, added] = await database.write(`${s}.add_plan`, values);
      return whole(added) === 1;
    },
    async plan(id) {
      const rows = await database.rows(`SELECT * FROM ${s}.plans WHERE id = $1`, [name(id)]);
      return rows.map(planRow)[0];
    },
    async plans(limit) {
      const rows = await database.rows(`SELECT * FROM ${s}.plans ORDER BY seq DESC LIMIT $1`, [Math.max(0, limit)]);
      return rows.map(planRow);
    },
    async changePlan(wanted) {
      const caps = wanted.caps ?? [];
      if (!isLarge({ caps, rates: [] })) return (await change(wanted)) ?? fail();
      const obstacle = await change(wanted, undefined, true);
      if (obstacle) return obstacle;
      const staged = await Staging.begin(staging, caps, []);
      return settleStaging(staged, () => change(wanted, staged));
    },

    async spool(plan, entries) {
      for (const part of bounded(entries)) {
        const sealed = part.map((entry) => Buffer.from(entry.sealed).toString("base64")).join();
        const values = [name(plan), part.map((entry) => entry.index).join(), sealed];
        await database.rows(`SELECT ${s}.add_entries($1, $2, $3)`, values);
      }
    },
    async entries(plan, from, limit) {
      const text = `SELECT idx AS place, bytes AS sealed FROM ${s}.sealed WHERE plan = $1 AND idx >= $2 ORDER BY idx LIMIT $3`;
      return (await database.rows(text, [name(plan), from, Math.max(0, limit)])).map(spoolEntry);
    },
    async claimEntries(plan, _worker, count, leaseMs, below = Number.MAX_SAFE_INTEGER) {
      const text = `SELECT place, sealed FROM ${s}.claim_entries($1, $2, $3, $4) ORDER BY place`;
      const most = Math.min(below, Number.MAX_SAFE_INTEGER);
      const values = [name(plan), Math.max(0, count), milliseconds(leaseMs), most];
      return (await database.rows(text, values)).map(spoolEntry);
    },
    async entryStates(plan) {
      const text = `SELECT state::text, count(*) FROM ${s}.entries WHERE plan = $1 GROUP BY state`;
      const rows = (await database.rows(text, [name(plan)])) as readonly {
        state: keyof typeof entryStates;
        count: unknown;
      }[];
      return Object.fromEntries(rows.map(({ state, count }) => [entryStates[state], whole(count)]));
    },
    async entriesIn(plan, state, after, limit) {
      const text = `SELECT idx FROM ${s}.entries WHERE plan = $1 AND state = $2::"char" AND idx > $3 ORDER BY idx LIMIT $4`;
      const rows = await database.rows(text, [name(plan), letter(state), after, Math.max(0, limit)]);
      return rows.map((row) => whole((row as { idx: unknown }).idx));
    },
    async requeueEntries(plan, from, event) {
      const [, many] = await database.write(`${s}.requeue`, [name(plan), letter(from), pack(event)]);
      return whole(many);
    },
    async markEntries(plan, indexes, to) {
      if (indexes.length === 0) return 0;
      const [, many] = await database.write(`${s}.mark_entries`, [name(plan), indexes.join(), letter(to)]);
      return whole(many);
    },
    async dropSpool(plan) {
      await database.rows(`DELETE FROM ${s}.sealed WHERE plan = $1`, [name(plan)]);
    },
    async close() {
      database.close();
    },
  };
}

function checkSchema(schema: string): string {
  // Longer names are cut by PostgreSQL, and two of them could be one.
  if (/^[^\p{Cc}]+$/u.test(schema) && Buffer.byteLength(schema) <= 63) return schema;
  throw invalid("a schema name of 1 to 63 bytes", 'Use a name such as "mailfuse".', "postgresStore.schema");
}

/** A statement's text stays far below what a server takes, and below a deadline's worth of work. */
function* bounded(entries: readonly SpoolEntry[]): Generator<SpoolEntry[]> {
  let part: SpoolEntry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    if (part.length > 0 && (part.length === 1_000 || bytes + entry.sealed.length > 4 << 20)) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(entry);
    bytes += entry.sealed.length;
  }
  if (part.length > 0) yield part;
}

function planRow(row: unknown): PlanRow {
  const { label: id, state, version, record, created } = row as Record<string, unknown>;
  return {
    id: unpack(id),
    state: unpack(state),
    version: whole(version),
    record: unpack(record),
    createdAt: whole(created),
  };
}

function spoolEntry(row: unknown): SpoolEntry {
  const { place, sealed } = row as Record<string, unknown>;
  if (!(sealed instanceof Uint8Array)) throw nonsense();
  return { index: whole(place), sealed };
}

function fail(): never {
  throw nonsense();
}
