import { Queue, Worker } from "bullmq";
import fastq from "fastq";
import PQueue from "p-queue";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Fuse, PlanJob, PlanRequest, PlanSource } from "../../src/index";
import { redisServers, type TestServer } from "../stores/servers";
import { codeOf, type FakeClient } from "../support/fake-client";
import { people, setUp } from "./release-set-up";

/** No `match`: only the context tells what these mails are for, so losing it loses the purpose. */
const purposes = {
  offer: { kind: "bulk" as const, caps: [{ people: 500, per: "24h" as const }] },
  receipt: { kind: "stream" as const, caps: [{ people: 500, per: "24h" as const }] },
};
const config = { purposes, defaults: { caps: [{ people: 500, per: "24h" as const }], confirm: { abovePeople: 500 } } };
const request: PlanRequest = { purpose: "offer", expectedPeople: 20, requestedBy: "dana" };
const audience = people(20);

type Send = () => Promise<unknown>;
/** A queue that the whole process shares. */
interface Shared {
  /** Resolves with what came of it. */
  add(send: Send): Promise<unknown>;
  /** Until nothing is left to do. */
  idle(): Promise<void>;
  close?(): Promise<void>;
}

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};

const pQueue = (): Shared => {
  const queue = new PQueue({ concurrency: 1 });
  return { add: (send) => queue.add(send), idle: () => queue.onIdle() };
};
const fastQueue = (): Shared => {
  const queue = fastq.promise<unknown, Send, unknown>((send) => send(), 1);
  return { add: (send) => queue.push(send), idle: () => queue.drained() };
};
/** An in-memory worker: a loop that was started long before, at the process's beginning. */
const worker = (): Shared => {
  const waiting: { send: Send; done: (value: unknown) => void }[] = [];
  let wake = () => {};
  const loop = async () => {
    for (;;) {
      const next = waiting.shift();
      if (next) next.done(await codeOf(next.send()));
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  };
  void loop();
  return {
    add: (send) =>
      new Promise((done) => {
        waiting.push({ send, done });
        wake();
      }),
    idle: async () => {
      while (waiting.length > 0) await turns(1);
      await turns(3);
    },
  };
};

let redis: TestServer;
beforeAll(async () => {
  if (!redisServers.skipped) redis = await redisServers.start();
});
afterAll(() => redis?.stop());

/** A BullMQ worker in the same process: the job itself stands in Redis, as a number here. */
const bullQueue = async (): Promise<Shared> => {
  const sends: Send[] = [];
  const ends: ((value: unknown) => void)[] = [];
  const connection = { host: redis.host, port: redis.port, maxRetriesPerRequest: null };
  const name = `mails-${Math.trunc(performance.now() * 1_000)}`;
  const queue = new Queue(name, { connection });
  const running = new Worker(
    name,
    async ({ data }) => {
      const came = await codeOf((sends[data as number] as Send)());
      ends[data as number]?.(came);
    },
    { connection },
  );
  await running.waitUntilReady();
  let open = 0;
  return {
    async add(send) {
      const place = sends.push(send) - 1;
      open++;
      const ended = new Promise((resolve) => {
        ends[place] = resolve;
      }).finally(() => {
        open--;
      });
      await queue.add("mail", place);
      return ended;
    },
    async idle() {
      while (open > 0) await turns(1);
    },
    async close() {
      await running.close();
      await queue.close();
    },
  };
};

const queues: [string, () => Shared | Promise<Shared>][] = [
  ["p-queue", pQueue],
  ["fastq", fastQueue],
  ["an in-memory worker", worker],
  ...(redisServers.skipped ? [] : [["BullMQ", bullQueue] satisfies [string, () => Promise<Shared>]]),
];

/** The ways in which applications use a queue for a plan's mails. */
const jobs: [string, (client: FakeClient, queue: Shared) => PlanJob | PlanSource<string>][] = [
  [
    "awaited",
    (client, queue) => async () => {
      for (const to of audience) await queue.add(() => client.send({ to })).catch(() => {});
    },
  ],
  [
    "all at once",
    (client, queue) => () => Promise.allSettled(audience.map((to) => queue.add(() => client.send({ to })))),
  ],
  [
    "not awaited",
    (client, queue) => () => {
      for (const to of audience) queue.add(() => client.send({ to })).catch(() => {});
    },
  ],
  ["one item at a time", (client, queue) => ({ audience, send: (to) => queue.add(() => client.send({ to })) })],
  [
    "items not awaited",
    (client, queue) => ({ audience, send: (to) => void queue.add(() => client.send({ to })).catch(() => {}) }),
  ],
];

/** Plans; whatever comes of it. */
const plan = (fuse: Fuse, job: PlanJob | PlanSource<string>, change: object = {}) =>
  typeof job === "function" ? fuse.plan({ ...request, ...change }, job) : fuse.plan({ ...request, ...change }, job);

describe.each(queues)("a plan's mails through %s that the process shares", (_name, make) => {
  describe.each(jobs)("%s", (_how, jobOf) => {
    it.each([
      "idle",
      "busy with mail of its own",
      "busy with mail in contexts of its own",
      "busy with mail in contexts that go on",
    ])("%s: nothing of it is delivered", async (load) => {
      const all = setUp(config);
      const queue = await make();
      try {
        let stop = false;
        const own: Promise<unknown>[] = [];
        const ownMail = () => all.client.send({ to: `own${own.length}@acme.test` }).catch(() => {});
        const addOwn = (): void => {
          const added =
            load === "busy with mail of its own"
              ? queue.add(ownMail)
              : all.fuse.run({ purpose: "receipt" }, async () => {
                  await queue.add(ownMail);
                  if (load.endsWith("go on")) await turns(60);
                });
          own.push(added.catch(() => {}));
        };
        if (load !== "idle") for (let count = 0; count < 5; count++) addOwn();
        const feeding = (async () => {
          for (let count = 0; load !== "idle" && !stop && count < 40; count++) {
            addOwn();
            await turns(1);
          }
        })();
        const made = await plan(all.fuse, jobOf(all.client, queue)).catch((error: unknown) => error);
        stop = true;
        await feeding;
        await queue.idle();
        await Promise.all(own);
        const strangers = all.client.wire.map(({ to }) => String(to)).filter((to) => audience.includes(to));
        expect(strangers).toEqual([]);
        // And nobody who is mailed otherwise is in the plan.
        const summary = (
          made as {
            summary?: {
              domains: unknown;
              people: number;
              samples: readonly { to: readonly { address: string }[] }[];
            };
          }
        ).summary;
        const shown = summary?.samples.flatMap(({ to }) => to.map(({ address }) => address)) ?? [];
        expect(shown.filter((address) => address.startsWith("own"))).toEqual([]);
      } finally {
        await queue.close?.();
      }
    });
  });
});

describe("a bulk purpose that its mails show", () => {
  it("does not leave through a queue in another process either", async () => {
    const all = setUp({ ...config, purposes: { offer: { ...purposes.offer, match: { tag: "offer" } } } });
    const other = all.make();
    const jobs: string[] = [];
    expect(await codeOf(all.fuse.plan(request, () => void jobs.push(...audience)))).toBe("PLAN_EMPTY");
    for (const to of jobs) expect(await codeOf(other.client.send({ to, tag: "offer" }))).toBe("PLAN_REQUIRED");
    expect(other.client.wire).toEqual([]);
  });
});
