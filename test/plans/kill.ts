/**
 * A process is killed at a named point of a release, and another one goes on: nobody gets a mail twice, whoever
 * misses it is listed as unknown, the application hears of every accepted mail, and what a person then sends again
 * reaches everybody.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateKeys, signToken } from "../../src/plan/sign";
import type { Store } from "../../src/store";
import { type Check, type Result, type RunOptions, random } from "../faults/check";
import { guardedMailer } from "../faults/fuse";
import { type Kind, skipped } from "../faults/places";
import type { Job } from "./child";
import { start } from "./children";
import { placeOf } from "./places";
import { oncePerRelease, ownPoints, type Point, points, type ServerPoint } from "./points";
import { openPostOffice, type PostOffice } from "./post-office";

/** `kill/<point>/<store>`. */
export function killChecks(kind: Kind): readonly Check[] {
  const why = skipped[kind];
  return points.map((point) => ({
    id: `kill/${point}/${kind}`,
    ...(why === undefined ? {} : { skipped: why }),
    run: (options) => kill(point, kind, options),
  }));
}

/** `kill-broken/<point>/<store>`: the one that goes on takes the mistake of sending again what was under way. */
export function brokenKillChecks(kind: Kind): readonly Check[] {
  const why = skipped[kind];
  return (["data", "after-250"] as const).map((point) => ({
    id: `kill-broken/${point}/${kind}`,
    ...(why === undefined ? {} : { skipped: why }),
    async run(options) {
      const { violations, notes, ...rest } = await kill(point, kind, options, true);
      // The check must see what it looks for.
      return { ...rest, violations: Number(violations === 0), notes: { ...notes, "violations seen": violations } };
    },
  }));
}

/** What is the same for all runs of one check. */
interface Scene {
  readonly kind: Kind;
  readonly office: PostOffice;
  readonly store: Store;
  readonly job: Pick<Job, "place" | "smtp" | "approver" | "leaseMs"> & { readonly broken: boolean };
  readonly privateKey: string;
  readonly folder: string;
}

const leaseMs = 600;
const people = 12;

async function kill(point: Point, kind: Kind, { quick, say }: RunOptions, broken = false): Promise<Result> {
  const runs = quick ? 1 : 5;
  const any = random(20_251_122 + points.indexOf(point));
  const { store, place } = await placeOf(kind);
  const office = await openPostOffice();
  const folder = mkdtempSync(join(tmpdir(), "mailfuse-plans-"));
  const { privateKey, publicKey: approver } = generateKeys();
  const job = { place, smtp: office.port, approver, leaseMs, broken };
  const scene: Scene = { kind, office, store, job, privateKey, folder };
  const sums = { delivered: 0, violations: 0, unknown: 0, again: 0, unreached: 0 };
  try {
    for (let run = 0; run < runs; run++) {
      say(`run ${run + 1} of ${runs}`);
      const passage = oncePerRelease.has(point) ? 1 : 1 + any(point === "connect" ? 3 : people - 4);
      // Marks are written in batches, and claims are few.
      const few = point === "after-mark" || point.endsWith("-claim") ? 1 : passage;
      const found = await once(scene, point, few, `${broken ? "broken-" : ""}${point}-r${run}`);
      for (const key of Object.keys(sums) as (keyof typeof sums)[]) sums[key] += found[key];
    }
  } finally {
    await office.close();
    rmSync(folder, { recursive: true, force: true });
  }
  const { delivered, violations, unknown, again, unreached } = sums;
  return {
    runs,
    attempts: runs * people,
    delivered,
    // A point that nobody died at has shown nothing.
    violations: violations + unreached,
    notes: { unknown, "sent again": again, "died elsewhere": unreached },
  };
}

async function once(scene: Scene, point: Point, passage: number, name: string) {
  const { office, store, privateKey, job, folder } = scene;
  const told = join(folder, `${name}-told`);
  const audience = Array.from({ length: people }, (_, n) => `${name}-${n}@people.example`);
  const { fuse, send, close } = guardedMailer({
    store,
    smtp: job.smtp,
    people: 1_000,
    per: "24h",
    approver: job.approver,
  });
  const { id } = await fuse.plan(
    { purpose: "offer", expectedPeople: people, requestedBy: "dana" },
    { audience, send: (to) => send(to, "Offer") },
  );
  const { plan, view } = await fuse.view(id, { by: "erin" });
  const now = await store.now();
  const tokens = [await signToken({ plan: id, digest: plan.digest, view, by: "erin", privateKey, now })];
  const own = ownPoints.find((known) => known === point);
  const first = await start({
    ...job,
    broken: false,
    plan: id,
    tokens,
    told,
    ...(own ? { die: { at: own, passage } } : {}),
  });
  if (!own) killAtServer(office, point as ServerPoint, passage, first.kill);
  const died = (await first.ended) === undefined;
  office.at = () => false;

  const second = await (await start({ ...job, plan: id, tokens, told })).ended;
  if (second?.tell !== "released") throw new Error(second?.error ?? "Expected the second process to end well.");
  const { result, resent } = second;
  const again = new Set(result.unknownEntries);
  const mails = audience.map((to) => office.arrived.get(to) ?? []);
  const heard = new Set(existsSync(told) ? readFileSync(told, "utf8").trim().split("\n").map(Number) : []);
  const untold = await store.entriesIn(id, "accepted", -1, people);
  const accepted = await store.entriesIn(id, "told", -1, people);
  let wrong = untold.length + accepted.filter((index) => !heard.has(index)).length;
  for (const [index, texts] of mails.entries()) {
    // Sent again on a person's word, an unknown one may come twice, and has to come.
    if (texts.length > (again.has(index) ? 2 : 1) || texts.length === 0) wrong++;
    if (texts.some((text) => !text.includes(`For ${audience[index]}.`))) wrong++;
  }
  const last = resent ?? result;
  if (last.accepted !== people || last.state !== "done") wrong++;
  close();
  await fuse.flush();
  return {
    delivered: mails.filter((texts) => texts.length > 0).length,
    violations: wrong,
    unknown: result.unknown,
    again: mails.filter((texts) => texts.length > 1).length,
    unreached: Number(!died),
  };
}

function killAtServer(office: PostOffice, point: ServerPoint, passage: number, killNow: () => void): void {
  let passed = 0;
  office.at = (reached) => {
    if (reached !== point || ++passed < passage) return false;
    if (passed === passage) killNow();
    // Connections of the dead process that the server still reads from get no answer either.
    return true;
  };
}
