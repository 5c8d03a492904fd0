/**
 * Reserving and settling on Redis: what arrives at once goes in one script, and what is large goes in steps.
 *
 * @module
 */
import type { Reservation, ReserveAnswer, Store } from "../../store";
import { coalesce } from "../coalesce";
import { isLarge, Staging, type StagingServer, settleStaging, weight } from "../staging";
import { StagedAddresses } from "./addresses";
import { nonsense, type Server, whole } from "./client";
import { reserve } from "./lua-reserve";
import { settle } from "./lua-settle";
import { settleRows } from "./records";
import { ReserveCall } from "./reserve-call";

/** The most that one script takes, in people, messages and addresses: Lua's stack is bounded, and Redis waits for it. */
const most = 1_500;

/** The methods of the store that spend and give back. */
export function reservingOn(
  server: Server,
  staging: StagingServer,
  nonce: () => string,
): Pick<Store, "reserve" | "settle"> {
  const reserveSmall = coalesce(
    async (reservations: readonly Reservation[]) => {
      const call = new ReserveCall(reservations);
      const answers = call.answers(await server.write(reserve, call.head(nonce()), call.rest()));
      return answers.map((answer) => answer ?? fail());
    },
    { weigh: weight, most },
  );

  async function reserveLarge(reservation: Reservation): Promise<ReserveAnswer> {
    const dry = new ReserveCall([reservation], { dry: true });
    const [obstacle] = dry.answers(await server.write(reserve, dry.head(nonce()), dry.rest()));
    if (obstacle) return obstacle;
    const addresses = await stageAddresses(reservation);
    try {
      const staged = await Staging.begin(staging, reservation.caps, reservation.rates);
      const answer = await settleStaging(staged, async () => {
        const call = new ReserveCall([reservation], { staged, addresses });
        const [answer] = call.answers(await server.write(reserve, call.head(nonce()), call.rest()));
        return answer;
      });
      if (!answer.ok) await addresses?.drop();
      return answer;
    } catch (error) {
      await addresses?.drop().catch(() => {});
      throw error;
    }
  }

  async function stageAddresses({ addresses }: Reservation): Promise<StagedAddresses | undefined> {
    return addresses && addresses.sealed.length > 0 ? StagedAddresses.begin(server, nonce(), addresses) : undefined;
  }

  const settleMany = coalesce(async (settlements: Parameters<Store["settle"]>[0]) => {
    const events = settlements.map((settlement) => settlement.event);
    const [, ...numbers] = await server.write(settle, [settleRows(settlements)], events);
    return numbers.map(whole);
  });

  return {
    async reserve(reservations) {
      const answers: ReserveAnswer[] = [];
      for (const some of inSteps(reservations)) {
        const [first] = some;
        if (first && large(first)) answers.push(await reserveLarge(first));
        else answers.push(...(await reserveSmall(some)));
      }
      return answers;
    },
    settle: settleMany,
  };
}

/** Reservations in order, as many at once as one script takes; large ones alone. */
function* inSteps(reservations: readonly Reservation[]): Generator<readonly Reservation[]> {
  let some: Reservation[] = [];
  let sum = 0;
  for (const reservation of reservations) {
    if (some.length > 0 && (large(reservation) || sum + weight(reservation) > most)) {
      yield some;
      some = [];
      sum = 0;
    }
    some.push(reservation);
    sum += weight(reservation);
    if (large(reservation)) sum = Number.POSITIVE_INFINITY;
  }
  if (some.length > 0) yield some;
}

/** Whether it goes in steps: its addresses block a server no less than its people. */
function large(reservation: Reservation): boolean {
  return isLarge(reservation) || (reservation.addresses?.sealed.length ?? 0) > 2_000;
}

function fail(): never {
  throw nonsense();
}
