/** A plan whose mails go through a queue that the whole process shares, busy with other mail: nothing of it is delivered. */
import { Queue, Worker } from "bullmq";
import fastq from "fastq";
import PQueue from "p-queue";
import type { Check, Result } from "../faults/check";
import { skipped } from "../faults/places";
import { placeOf } from "./places";
import { openWorld } from "./world";

type Send = () => Promise<unknown>;

/** A queue under way before the plan is made. */
interface Shared {
  add(send: Send): Promise<unknown>;
  close(): Promise<unknown>;
}

const queues: Readonly<Record<string, () => Promise<Shared>>> = {
  async "p-queue"() {
    const queue = new PQueue({ concurrency: 1 });
    return { add: (send) => queue.add(send), close: () => queue.onIdle() };
  },
  async fastq() {
    const queue = fastq.promise<unknown, Send, unknown>((send) => send(), 1);
    return { add: (send) => queue.push(send), close: () => queue.drained() };
  },
  async worker() {
    const waiting: (() => Promise<void>)[] = [];
    let wake = () => {};
    let ended = false;
    const loop = (async () => {
      while (!ended) {
        const next = waiting.shift();
        if (next) await next();
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    })();
    return {
      add: (send) =>
        new Promise((resolve, reject) => {
          waiting.push(() => send().then(resolve, reject));
          wake();
        }),
      async close() {
        ended = true;
        wake();
        await loop;
      },
    };
  },
  async bullmq() {
    const { place } = await placeOf("redis");
    if (place.kind !== "redis") throw new Error("Expected a Redis server.");
    const connection = { host: "127.0.0.1", port: place.port, maxRetriesPerRequest: null };
    const sends: Send[] = [];
    const name = `mails-${process.pid}`;
    const queue = new Queue(name, { connection });
    const worker = new Worker(name, async ({ data }) => void (await sends[data as number]?.()), { connection });
    await worker.waitUntilReady();
    const ends = new Map<string, () => void>();
    worker.on("completed", (job) => ends.get(job.id ?? "")?.());
    worker.on("failed", (job) => ends.get(job?.id ?? "")?.());
    return {
      async add(send) {
        const jobId = `job-${sends.push(send)}`;
        const ended = new Promise<void>((resolve) => ends.set(jobId, resolve));
        await queue.add("mail", sends.length - 1, { jobId });
        return ended;
      },
      async close() {
        await worker.close();
        await queue.close();
      },
    };
  },
};

/** `queue/<which>`. */
export const queueChecks: readonly Check[] = Object.entries(queues).map(([name, make]) => ({
  id: `queue/${name}`,
  ...(name === "bullmq" && skipped.redis !== undefined ? { skipped: skipped.redis } : {}),
  run: ({ quick, say }) => planThrough(make, quick ? 1 : 5, say),
}));

const people = 20;

async function planThrough(make: () => Promise<Shared>, rounds: number, say: (what: string) => void): Promise<Result> {
  const { store } = await placeOf("sqlite");
  const queue = await make();
  const world = await openWorld(store);
  const audience = Array.from({ length: people }, (_, n) => `plan-${n}@people.example`);
  const ways = ["awaited", "at once", "not awaited"] as const;
  let own = 0;
  const refused: Record<string, number> = {};
  const ownMail = () => {
    const to = `own-${own++}@people.example`;
    return world.send(to).catch((error: { code?: string }) => {
      refused[error.code ?? "?"] = (refused[error.code ?? "?"] ?? 0) + 1;
    });
  };
  try {
    // A queue that never came to send anything would show nothing.
    await queue.add(ownMail);
    const idle = Number(!world.office.arrived.has("own-0@people.example"));
    for (let round = 0; round < rounds; round++) {
      for (const way of ways) {
        say(`${way}, round ${round + 1}`);
        const busy = Array.from({ length: 10 }, () => queue.add(ownMail));
        const request = { purpose: "offer", expectedPeople: people, requestedBy: "dana" };
        const late: Promise<unknown>[] = [];
        await world.fuse
          .plan(request, async () => {
            const adding = audience.map((to) => () => queue.add(() => world.send(to)).catch(() => {}));
            if (way === "awaited") for (const add of adding) await add();
            else if (way === "at once") await Promise.all(adding.map((add) => add()));
            else late.push(...adding.map((add) => add()));
          })
          .catch(() => {});
        await Promise.all([...busy, ...late]);
      }
    }
    const strangers = audience.filter((to) => world.office.arrived.has(to)).length;
    return {
      runs: rounds * ways.length,
      attempts: rounds * ways.length * people,
      delivered: strangers,
      violations: strangers + idle,
      notes: { "own mail": own, ...refused },
    };
  } finally {
    await queue.close();
    await world.close();
  }
}
