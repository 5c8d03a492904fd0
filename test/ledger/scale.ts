/**
 * What `verify`, an export and `incident` cost over a ledger of so many lines, each in a process of its own. The ledger
 * is a SQLite file: 100,000 people really mailed through a fuse, in the middle of lines that say the same of others.
 *
 *     tsx test/ledger/scale.ts make 10000000 ledger.db
 *     tsx test/ledger/scale.ts verify ledger.db
 *     tsx test/ledger/scale.ts export ledger.db ledger.jsonl
 *     tsx test/ledger/scale.ts verify-export ledger.db ledger.jsonl
 *     tsx test/ledger/scale.ts incident ledger.db refund     the people mailed in the middle
 *     tsx test/ledger/scale.ts incident ledger.db note       everybody else: a million, five million times
 *
 * @module
 */
import { hash } from "node:crypto";
import { statSync } from "node:fs";
import process from "node:process";
import { createFuse } from "../../src/index";
import { sqliteStore } from "../../src/stores/sqlite";
import { fakeAdapter, fakeClient } from "../support/fake-client";

const [job = "", ...given] = process.argv.slice(2);
const mailed = 100_000;
/** Who the other lines are about. */
const others = 1_000_000;
/** Lines written, and sealed, at once. */
const batch = 2_000;

function open(path: string) {
  const store = sqliteStore({ path });
  const fuse = createFuse({
    environment: "production",
    environments: { production: { mode: "live" } },
    env: {},
    purposes: {
      refund: { kind: "stream", match: { tag: "refund" }, caps: [{ people: 2 * mailed, per: "24h" }] },
      note: { kind: "stream", match: { tag: "note" }, caps: [{ people: 100, per: "24h" }] },
    },
    defaults: { caps: [{ people: 100, per: "1h" }] },
    secret: "the secret of the measurement",
    store,
    logger: { debug() {}, info() {}, warn: console.error, error: console.error },
  });
  return { store, fuse, client: fuse.attach(fakeClient(), fakeAdapter()) };
}

const address = (index: number) => `person.${index}@people.example`;

/** The two lines of one mail, as a fuse writes them. */
function linesOf(index: number): [string, string] {
  const person = hash("sha256", `other ${index % others}`, "base64url").slice(0, 22);
  const id = hash("sha256", `mail ${index}`, "base64url").slice(0, 22);
  const reserved = {
    ...{ v: 1, type: "reserved", id, env: "production", mode: "live", stage: "send", purposes: ["note"] },
    ...{ provider: "fake", messages: 1, policy: "jL0yL2Zs1m3sCq0Xh7bWdA", people: [person] },
  };
  return [JSON.stringify(reserved), JSON.stringify({ v: 1, type: "settled", id, fate: "accepted", messageId: id })];
}

async function make(count: number, path: string): Promise<object> {
  const { store, fuse, client } = open(path);
  const pairs = Math.floor((count - 2 * mailed) / 2);
  const write = async (from: number, to: number) => {
    for (let index = from; index < to; index += batch / 2) {
      const size = Math.min(batch / 2, to - index);
      await store.append(Array.from({ length: size }, (_, step) => linesOf(index + step)).flat());
      await fuse.ledger.seal();
    }
  };
  await write(0, pairs / 2);
  for (let index = 0; index < mailed; index += 100)
    await Promise.all(
      Array.from({ length: 100 }, (_, step) => client.send({ to: address(index + step), tag: "refund" })),
    );
  await write(pairs / 2, pairs);
  await fuse.close();
  return { bytes: statSync(path).size };
}

async function verify(path: string, file?: string): Promise<object> {
  const { fuse } = open(path);
  const { problems, ...verdict } = await fuse.ledger.verify(file === undefined ? {} : { file });
  await fuse.close();
  return { ...verdict, problems: problems.slice(0, 3) };
}

async function exported(path: string, file: string): Promise<object> {
  const { fuse } = open(path);
  const { lines } = await fuse.ledger.export({ to: file });
  await fuse.close();
  return { lines, bytes: statSync(file).size };
}

async function incident(path: string, purpose: string): Promise<object> {
  const { fuse } = open(path);
  // It was right for every second of those really mailed.
  const right = (to: string) => Number(/\d+/.exec(to)?.[0]) % 2 === 0;
  const { data } = await fuse.incident({ purpose, from: 0 }, { right });
  await fuse.close();
  return { calls: data.calls, people: data.people, correction: data.correction, warnings: data.warnings };
}

const [first = "", second] = given;
const jobs: Readonly<Record<string, () => Promise<object>>> = {
  make: () => make(Number(first), second ?? "ledger.db"),
  verify: () => verify(first),
  "verify-export": () => verify(first, second),
  export: () => exported(first, second ?? "ledger.jsonl"),
  incident: () => incident(first, second ?? "refund"),
};
const work = jobs[job];
if (!work) throw new Error(`Expected one of ${Object.keys(jobs).join(", ")}, got "${job}".`);
const started = process.hrtime.bigint();
const found = await work();
const cpu = process.cpuUsage();
console.log(
  JSON.stringify({
    job: [job, ...given],
    seconds: Number((process.hrtime.bigint() - started) / 1_000_000n) / 1000,
    cpuSeconds: Math.round((cpu.user + cpu.system) / 1e6),
    peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
    ...found,
  }),
);
