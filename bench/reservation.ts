/** What the fuse asks a store for each mail of the bench: a halt check, three caps, a key, and the ledger's line. */
import { createHash } from "node:crypto";
import type { Reservation, Store } from "mailfuse";

const many = 100_000_000;
const windows = [60_000, 3_600_000, 86_400_000] as const;

/** A person as stores know people: 22 characters of a keyed hash. */
export function pseudonym(index: number): string {
  return createHash("sha256").update(`person ${index}`).digest("base64url").slice(0, 22);
}

const known: string[] = [];
function personKey(at: number): string {
  known[at] ??= pseudonym(at);
  return known[at] as string;
}

let run = 0;

/**
 * Reservations that are told apart from those of every other run. `keys` is how many purposes they are spread over,
 * `people` how many people they go to in turn.
 */
export function reservations(keys = 1, people = 10_000): (index: number) => Reservation {
  const name = `${process.pid}-${++run}`;
  return (index) => {
    const person = personKey(index % people);
    const purpose = keys === 1 ? "receipt" : `receipt-${index % keys}`;
    const id = `${name}-${index}`;
    return {
      id,
      scopes: ["*", `purpose:${purpose}`],
      once: [{ key: `production:key:${purpose}:${id}`, ttlMs: 7 * 86_400_000, onUnknown: "resend", leaseMs: 120_000 }],
      caps: windows.map((windowMs, at) => ({
        key: `production:purpose:${purpose}:${windowMs}`,
        windowMs,
        limit: many,
        people: [person],
        enforce: true,
        ...(at === 2
          ? { haltOnExceeded: { scope: `purpose:${purpose}`, reason: "the cap was reached", by: "cap" } }
          : {}),
      })),
      rates: [],
      event: JSON.stringify({
        v: 1,
        type: "reserved",
        id,
        env: "production",
        mode: "live",
        stage: "single",
        purposes: [purpose],
        provider: "nodemailer",
        messages: 1,
        policy: "5YfWs1nKk0TQ0mJd1m1QyW0v1Zr0s2oCkN9v3m2s1aE",
        people: [person],
      }),
      seen: 0,
    };
  };
}

/** Reserves one after the other or many at once; a refusal would make the figure a lie. */
export function reserver(store: Store, make: (index: number) => Reservation): () => Promise<void> {
  let index = 0;
  return async () => {
    const [answer] = await store.reserve([make(index++)]);
    if (!answer?.ok)
      throw new Error(`Expected every reservation of the bench to be granted, got ${JSON.stringify(answer)}.`);
  };
}
