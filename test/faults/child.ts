/** One process of the checks. It does what its job says, tells how it goes, and may be killed at any moment. */
import { hrtime } from "node:process";
import type { Store } from "../../src/store";
import { type FuseOptions, guardedMailer } from "./fuse";
import { openPlace, type StorePlace, takenApart } from "./stores";

/** What all processes of a check have in common. */
export interface Common {
  readonly smtp: number;
  readonly people: number;
  readonly per: FuseOptions["per"];
  readonly approver: string;
  /** This process's clock is wrong by so much. */
  readonly skewMs: number;
  /** With the lock or script taken out. */
  readonly broken: boolean;
}

/** What a process does. */
export type Job = Common & { readonly place: StorePlace } & (
    | {
        readonly kind: "send";
        readonly name: string;
        readonly from: number;
        readonly to: number;
        readonly lanes: number;
      }
    | { readonly kind: "release"; readonly plan: string; readonly token: string }
    | { readonly kind: "spend"; readonly plan: string; readonly token: string }
  );

/** What a process tells. */
export type Told =
  | { readonly tell: "ready" }
  | {
      readonly tell: "progress";
      readonly next: number;
      readonly attempts: number;
      readonly codes: Readonly<Record<string, number>>;
      /** The longest that one attempt has taken, milliseconds. */
      readonly slowest: number;
      /** When each reserve began and ended, in microseconds of the machine. */
      readonly reserves: readonly (readonly [number, number])[];
    }
  | { readonly tell: "spent"; readonly ok: boolean }
  | { readonly tell: "done"; readonly code?: string };

const job = JSON.parse(process.argv[2] ?? "null") as Job;
const tell = (told: Told) => process.send?.(told);
const micros = () => Number(hrtime.bigint() / 1_000n);

if (job.skewMs !== 0) {
  const now = Date.now;
  Date.now = () => now() + job.skewMs;
}

let reserves: [number, number][] = [];

/** Takes down when each reserve began and ended. */
function timed(store: Store): Store {
  return {
    ...store,
    async reserve(reservations) {
      const from = micros();
      try {
        return await store.reserve(reservations);
      } finally {
        reserves.push([from, micros()]);
      }
    },
  };
}

const codeOf = (error: unknown) => String((error as { code?: unknown }).code ?? "unknown");

async function main(): Promise<void> {
  const place = await openPlace(job.place);
  const store = timed(job.broken ? takenApart(place.store) : place.store);
  let stopped = false;
  const go = new Promise<void>((resolve) => {
    process.on("message", (message) => {
      if (message === "go") resolve();
      if (message === "stop") stopped = true;
      if (message === "full" || message === "free") place.full?.(message === "full");
    });
  });
  process.on("disconnect", () => process.exit(1));
  const { smtp, people, per, approver } = job;
  const { fuse, send, close } = guardedMailer({ store, smtp, people, per, approver });

  if (job.kind === "spend") {
    tell({ tell: "ready" });
    await go;
    const tokens = [{ id: job.token, until: (await store.now()) + 3_600_000 }];
    const change = { id: job.plan, version: 1, state: "releasing", record: "{}", event: "{}", tokens };
    tell({ tell: "spent", ok: (await store.changePlan(change)).ok });
  } else if (job.kind === "release") {
    tell({ tell: "ready" });
    await go;
    const code = await fuse.release(job.plan, { tokens: [job.token], concurrency: 5 }).then(() => undefined, codeOf);
    tell({ tell: "done", ...(code === undefined ? {} : { code }) });
  } else {
    let next = job.from;
    let attempts = 0;
    let slowest = 0;
    let codes: Record<string, number> = {};
    const report = () => {
      tell({ tell: "progress", next, attempts, codes, slowest, reserves });
      attempts = 0;
      codes = {};
      reserves = [];
    };
    tell({ tell: "ready" });
    await go;
    const lane = async () => {
      while (next < job.to && !stopped) {
        const to = `${job.name}-${next++}@people.example`;
        const from = micros();
        const code = await send(to).then(() => "sent", codeOf);
        slowest = Math.max(slowest, (micros() - from) / 1_000);
        codes[code] = (codes[code] ?? 0) + 1;
        if (++attempts >= 25) report();
        // A refusal that costs nothing must not keep this process from hearing its parent.
        if (code !== "sent") await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await Promise.all(Array.from({ length: job.lanes }, lane));
    report();
    tell({ tell: "done" });
  }
  close();
  await place.end();
  process.disconnect();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
