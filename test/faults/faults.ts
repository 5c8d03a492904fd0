/**
 * Faults while processes send: the cap holds, no attempt hangs, nothing is sent while the store cannot be asked, and
 * sending goes on by itself in the same processes.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { Redis } from "ioredis";
import { generateKeys } from "../../src/plan/sign";
import type { Store } from "../../src/store";
import { redisServers, type TestServer } from "../stores/servers";
import { type BreakingProxy, startProxy } from "../stores/support/proxy";
import type { Check, Result, RunOptions } from "./check";
import type { Job } from "./child";
import { bundled, Crew } from "./crew";
import { type Mailbox, startMailbox } from "./mailbox";
import { type FreshPlace, freshPlace, type Kind, skipped } from "./places";
import { deadlineMs, openPlace } from "./stores";

/** What a fault works on. */
interface Scene {
  readonly cap: number;
  readonly fresh: FreshPlace;
  readonly proxy: BreakingProxy | undefined;
  readonly crew: Crew;
  readonly mailbox: Mailbox;
  readonly store: Store;
  /** Further servers that end with the scene. */
  readonly others: TestServer[];
}

/** One fault. */
interface Fault {
  readonly kind: Kind;
  readonly name: string;
  /** The code with which sends are refused meanwhile; none where sending just goes on. */
  readonly refused?: "STORE_UNAVAILABLE" | "STORE_REGRESSED";
  /** Before anybody sends. */
  readonly prepare?: (scene: Scene) => Promise<unknown>;
  readonly strike: (scene: Scene) => Promise<unknown>;
  /** Undoes it; what it returns is how sending goes on. */
  readonly heal: (scene: Scene) => Promise<unknown>;
  /** How wrong the clock of the second process is. */
  readonly skewMs?: number;
  /** The cap's window. */
  readonly per?: Job["per"];
  /** People already counted are lost with the data, so the cap begins anew once a person has acknowledged. */
  readonly forgets?: boolean;
}

const hour = 3_600_000;
const nothing = async () => {};

const stopServer: Pick<Fault, "name" | "refused" | "strike" | "heal"> = {
  name: "server-stopped",
  refused: "STORE_UNAVAILABLE",
  strike: async ({ fresh }) => fresh.server?.signal("SIGSTOP"),
  heal: async ({ fresh }) => fresh.server?.signal("SIGCONT"),
};

const killServer: Pick<Fault, "name" | "refused" | "strike" | "heal"> = {
  name: "server-killed",
  refused: "STORE_UNAVAILABLE",
  strike: async ({ fresh }) => fresh.server?.kill(),
  heal: async ({ fresh }) => fresh.server?.start(),
};

const dropConnections: Pick<Fault, "name" | "strike" | "heal"> = {
  name: "connection-dropped",
  // Between the call and its answer, over and over. What is lost stays counted: cuts that leave some of the cap.
  strike: async ({ proxy, cap }) => {
    for (let cut = 0; cut < cap / 20; cut++) {
      await proxy?.swallowAnswerTo("reserved");
      await pause(5);
    }
  },
  heal: nothing,
};

const wrongClock = (hours: number): Pick<Fault, "name" | "strike" | "heal" | "skewMs"> => ({
  name: hours > 0 ? "clock-ahead" : "clock-behind",
  strike: nothing,
  heal: nothing,
  skewMs: hours * hour,
});

const acknowledge = async ({ store }: Scene): Promise<unknown> => {
  for (;;) {
    const done = await store.acknowledge('{"v":1,"type":"acknowledge","by":"dana"}').catch(() => undefined);
    if (done !== undefined) return done;
  }
};

/** A replica of the server; its port is where the proxy can be pointed to. */
async function replica({ fresh, others }: Scene): Promise<TestServer> {
  const server = await redisServers.launch("--appendonly", "yes");
  others.push(server);
  const client = new Redis(server.port, "127.0.0.1");
  await client.replicaof("127.0.0.1", fresh.server?.port ?? 0);
  while (!(await client.info("replication")).includes("master_link_status:up")) await pause(20);
  client.disconnect();
  return server;
}

/** Makes a replica a server of its own. */
async function promote(server: TestServer): Promise<void> {
  const client = new Redis(server.port, "127.0.0.1");
  await client.call("REPLICAOF", "NO", "ONE");
  client.disconnect();
}

let holder: ChildProcess | undefined;

const faults: readonly Fault[] = [
  {
    kind: "sqlite",
    name: "disk-full",
    refused: "STORE_UNAVAILABLE",
    strike: async ({ crew }) => crew.tellAll("full"),
    heal: async ({ crew }) => crew.tellAll("free"),
  },
  {
    // The nearest thing to a stopped server: a process that stands still with the write lock in its hands.
    kind: "sqlite",
    name: "lock-holder-stopped",
    refused: "STORE_UNAVAILABLE",
    strike: async ({ fresh }) => {
      const place = fresh.place(0);
      if (place.kind !== "sqlite") return;
      const program = `const db = new (require("better-sqlite3"))(${JSON.stringify(place.path)}, { timeout: 60000 });
        db.exec("BEGIN IMMEDIATE"); process.stdout.write("held"); setInterval(() => {}, 1000);`;
      const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
      holder = child;
      process.once("exit", () => child.kill("SIGKILL"));
      await new Promise((resolve) => child.stdout.once("data", resolve));
      child.kill("SIGSTOP");
    },
    heal: async () => holder?.kill("SIGKILL"),
  },
  // SQLite has no server and takes the time from its processes: one that is an hour ahead takes them all with it.
  { kind: "sqlite", ...wrongClock(1), per: "24h" },
  { kind: "sqlite", ...wrongClock(-1), per: "24h" },
  { kind: "redis", ...stopServer },
  { kind: "redis", ...killServer },
  { kind: "redis", ...dropConnections },
  {
    kind: "redis",
    name: "flushall",
    refused: "STORE_REGRESSED",
    forgets: true,
    strike: async ({ fresh }) => {
      const client = new Redis(fresh.server?.port ?? 0, "127.0.0.1");
      await client.flushall();
      client.disconnect();
    },
    heal: acknowledge,
  },
  {
    kind: "redis",
    name: "failover-empty",
    refused: "STORE_REGRESSED",
    forgets: true,
    strike: async ({ proxy, others }) => {
      const empty = await redisServers.launch();
      others.push(empty);
      proxy?.retarget(empty.port);
    },
    heal: acknowledge,
  },
  {
    kind: "redis",
    name: "failover-lagging",
    refused: "STORE_REGRESSED",
    forgets: true,
    prepare: replica,
    strike: async ({ others, mailbox, crew, proxy }) => {
      const [copy] = others;
      if (!copy) return;
      await promote(copy);
      // What is sent from here on, the copy does not know.
      const before = mailbox.arrived.size;
      await crew.until(() => mailbox.arrived.size >= before + 40);
      proxy?.retarget(copy.port);
    },
    heal: acknowledge,
  },
  { kind: "redis", ...wrongClock(1), per: "30m" },
  { kind: "redis", ...wrongClock(-1), per: "30m" },
  { kind: "postgres", ...stopServer },
  { kind: "postgres", ...killServer },
  { kind: "postgres", ...dropConnections },
  { kind: "postgres", ...wrongClock(1), per: "30m" },
  { kind: "postgres", ...wrongClock(-1), per: "30m" },
];

/** `<fault>/<store>` for every fault. */
export const faultChecks: readonly Check[] = faults.map((fault) => {
  const why = skipped[fault.kind];
  return {
    id: `${fault.name}/${fault.kind}`,
    ...(why === undefined ? {} : { skipped: why }),
    run: (options) => strikeAndHeal(fault, options),
  };
});

/** No attempt may take longer: a reserve and a settle at their deadlines, many times over for a slow machine. */
const hangMs = 20 * deadlineMs;

async function strikeAndHeal(fault: Fault, { quick, say }: RunOptions): Promise<Result> {
  const cap = quick ? 200 : 600;
  const fresh = await freshPlace(fault.kind);
  const mailbox = await startMailbox();
  const proxy = fresh.server ? await startProxy(fresh.server.port) : undefined;
  const crew = new Crew(await bundled());
  const direct = await openPlace(fresh.place(0, proxy?.port));
  const scene: Scene = { cap, fresh, proxy, crew, mailbox, store: direct.store, others: [] };
  mailbox.onArrival = () => crew.wake();
  try {
    const { publicKey: approver } = generateKeys();
    const jobs = Array.from({ length: 3 }, (_, n): Job => {
      const skewMs = n === 1 ? (fault.skewMs ?? 0) : 0;
      const common = { smtp: mailbox.port, people: cap, per: fault.per ?? "24h", approver, skewMs, broken: false };
      const range = { from: 0, to: Number.MAX_SAFE_INTEGER };
      return { ...common, ...range, kind: "send", place: fresh.place(n, proxy?.port), name: `f${n}`, lanes: 4 };
    });
    await fault.prepare?.(scene);
    await crew.start(jobs);
    crew.go();
    await crew.until(() => mailbox.arrived.size >= cap / 6);
    say("sending");

    await fault.strike(scene);
    let wrong = 0;
    if (fault.refused) {
      const { refused } = fault;
      const before = crew.count(refused);
      await crew.until(() => crew.done || crew.count(refused) >= before + 12);
      // What was reserved before the fault may still arrive; once everybody is refused, nothing does.
      const arrived = mailbox.arrived.size;
      await crew.until(() => crew.done || crew.count(refused) >= before + 24);
      wrong += mailbox.arrived.size - arrived;
    }
    const struck = mailbox.arrived.size;
    if (fault.forgets) wrong += Math.max(0, struck - cap);
    say("struck");

    await fault.heal(scene);
    await crew.until(() => crew.done || mailbox.arrived.size >= Math.min(struck + 20, cap));
    say("healed");
    if (!fault.forgets) {
      const before = crew.count("CAP_EXCEEDED");
      await crew.until(() => crew.done || crew.count("CAP_EXCEEDED") >= before + 100);
      wrong += Math.max(0, mailbox.arrived.size - cap);
    }
    const recovered = mailbox.arrived.size > struck || struck >= cap;
    crew.tellAll("stop");
    await crew.until(() => crew.done);
    const hangs = Number(crew.tally.slowest > hangMs);
    return {
      runs: 1,
      attempts: crew.tally.attempts,
      delivered: mailbox.arrived.size,
      violations: wrong + hangs + crew.tally.crashes + Number(!recovered),
      notes: {
        cap,
        "slowest ms": Math.round(crew.tally.slowest),
        ...(fault.refused ? { [fault.refused]: crew.count(fault.refused) } : {}),
        unavailable: crew.count("STORE_UNAVAILABLE"),
      },
    };
  } finally {
    await crew.kill();
    await direct.end();
    await proxy?.close();
    await mailbox.close();
    for (const other of scene.others) await other.stop();
    await fresh.end();
  }
}
