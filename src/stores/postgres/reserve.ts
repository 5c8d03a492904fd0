/**
 * Reserving and settling in PostgreSQL: what arrives while a batch is under way goes with the next one, in one
 * statement; a call to thousands is staged step by step.
 *
 * @module
 */
import type { Reservation, ReserveAnswer, Settlement, Store } from "../../store";
import { coalesce } from "../coalesce";
import { isLarge, Staging, type StagingServer, settleStaging, weight } from "../staging";
import { bringsMany, StagedAddresses } from "./addresses";
import { type Database, fail, joined, milliseconds, name, pack, whole, windowId } from "./database";
import { label, ReserveCall, type ReserveOptions } from "./encode";

/** The methods of the store that spend and give back, in one schema, quoted. `then` is called after each batch. */
export function reserveIn(
  database: Database,
  s: string,
  staging: StagingServer,
  then: () => void,
): Pick<Store, "reserve" | "settle" | "usage"> {
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
      then();
      return answers.map((answer) => answer ?? fail());
    },
    { weigh: weight, most: 1_500 },
  );

  async function reserveAlone(reservation: Reservation, options: ReserveOptions): Promise<ReserveAnswer | undefined> {
    const call = new ReserveCall([reservation], options);
    const [answer] = call.answers(await database.write(`${s}.reserve_each`, call.each()));
    return answer;
  }

  async function reserveLarge(reservation: Reservation): Promise<ReserveAnswer> {
    const obstacle = await reserveAlone(reservation, { dry: true });
    if (obstacle) return obstacle;
    const { addresses, caps, rates } = reservation;
    // Before the people: those are given a time by which the reservation has to come.
    const sealed =
      addresses && bringsMany(reservation) ? await StagedAddresses.begin(database, s, addresses) : undefined;
    try {
      const staged = await Staging.begin(staging, caps, rates);
      const answer = await settleStaging(staged, () => reserveAlone(reservation, { staged, sealed }));
      // What cannot be destroyed now is pruned; nobody reads it.
      if (!answer.ok) await sealed?.drop().catch(() => {});
      return answer;
    } catch (error) {
      await sealed?.drop().catch(() => {});
      throw error;
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

  return {
    async reserve(reservations) {
      if (!reservations.some(goesAlone)) return reserveSmall(reservations);
      const answers: ReserveAnswer[] = [];
      for (const reservation of reservations) {
        if (goesAlone(reservation)) answers.push(await reserveLarge(reservation));
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
  };
}

function goesAlone(reservation: Reservation): boolean {
  return isLarge(reservation) || bringsMany(reservation);
}
