/**
 * From mistake to corrected: a process mails the wrong people through a failing mail server and is
 * killed on the way; another one, which has only the store and the secret, finds out who was reached
 * and corrects it. What arrived is judged by the mail server, which neither of them can read.
 */
import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Incident, IncidentData, Verdict } from "mailfuse";
import { sqliteStore } from "mailfuse/stores/sqlite";
import { approveBlindly, createFuse, productionConfig } from "../production";
import type { World } from "../world";
import type { MistakeJob } from "./child";
import { attachedMailer } from "./mailer";
import { type FailingServer, type Manner, startFailingServer } from "./server";

/** How well an audience hits the people it should: both 1 for exactly those. */
export interface Hit {
  readonly people: number;
  readonly precision: number;
  readonly recall: number;
}

export interface DrillResult extends Hit {
  /** People who may have received the wrong mail, and were told so. */
  readonly unknown: number;
  /** Corrections that arrived more than once with somebody, or with the wording of the others. */
  readonly duplicates: number;
  readonly misworded: number;
  /** The audiences that people reach for, and what each would have done. */
  readonly others: { readonly wholeList: Hit; readonly intendedList: Hit; readonly acceptedOnly: Hit };
  readonly incident: IncidentData;
  readonly ledger: Verdict;
  readonly ms: number;
}

const lanes = 5;
const mayHave = "You may have received";

export async function runDrill(world: World, tell: (step: string) => void): Promise<DrillResult> {
  const began = performance.now();
  const folder = mkdtempSync(join(tmpdir(), "mailfuse-drill-"));
  const path = join(folder, "mailfuse.db");
  const server = await startFailingServer();
  try {
    const { right, audience } = mistakenAudience(world);
    server.manners = mannersFor(audience);
    tell(`The mistake: an offer for ${right.size} people is planned for ${audience.length}, and waved through.`);
    const plan = await makeMistake(server, {
      path,
      port: server.port,
      seed: world.seed,
      customers: world.customers.length,
      audience,
      lanes,
    });
    const truth = new Set([...server.touched].filter((person) => !right.has(person)));
    const reached = server.mailboxes.length;
    tell(`The process is killed with ${lanes} mails on the wire. ${reached} mails stand in mailboxes.`);
    server.manners = new Map();
    server.mailboxes.length = 0;
    const corrected = await correctIt(world, server, path, plan, right, tell);
    return { ...judge(server, truth, audience, right, corrected), ms: Math.round(performance.now() - began) };
  } finally {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The top tier was meant; a query without its filter takes others as well, and in another order. */
function mistakenAudience({ customers, top }: World) {
  const right = new Set(customers.slice(0, top).map(({ email }) => email.toLowerCase()));
  const wrong = customers.slice(top, top + Math.min(500, customers.length - top)).map(({ email }) => email);
  const chosen = customers.slice(0, top).map(({ email }) => email);
  // Every few wrong ones a right one, so that each stretch of the run has both.
  const every = Math.max(1, Math.floor(wrong.length / chosen.length));
  const audience = wrong.flatMap((email, index) => {
    const one = index % every === 0 ? chosen[index / every] : undefined;
    return one === undefined ? [email] : [one, email];
  });
  return { right, audience: audience.map((email) => email.toLowerCase()) };
}

/**
 * The first stretch fails in every manner; then comes a slow one, in which all that is silent times
 * out; then the server answers nobody, until the process is killed with all its lanes on the wire.
 */
function mannersFor(audience: readonly string[]): ReadonlyMap<string, Manner> {
  const failures: readonly Manner[] = ["keep-silently", "refuse", "lose-silently", "break"];
  return new Map(
    audience.map((person, index) => {
      const place = index / audience.length;
      if (place >= 0.8) return [person, "freeze"];
      if (place >= 0.6) return [person, "slow"];
      return [person, index % 12 === 5 ? (failures[Math.floor(index / 12) % failures.length] as Manner) : "take"];
    }),
  );
}

async function makeMistake(server: FailingServer, job: MistakeJob): Promise<string> {
  const child = fork(join(import.meta.dirname, "child.ts"), {
    execArgv: ["--import", "tsx"],
    env: { PATH: process.env.PATH ?? "" },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  try {
    const plan = new Promise<string>((resolve, reject) => {
      child.once("message", (told: { plan: string }) => resolve(told.plan));
      child.once("exit", () => reject(new Error("Expected the process to make its mistake, got its end.")));
    });
    plan.catch(() => {});
    child.send(job);
    await Promise.race([server.untilFrozen(job.lanes), ended.then(() => plan)]);
    return await plan;
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
}

interface Corrected {
  readonly incident: Incident;
  readonly ledger: Verdict;
}

/** Another machine, some time later: the same store, the same secret, nothing else. */
async function correctIt(
  world: World,
  server: FailingServer,
  path: string,
  plan: string,
  right: ReadonlySet<string>,
  tell: (step: string) => void,
): Promise<Corrected> {
  const fuse = createFuse(productionConfig(world, "production", sqliteStore({ path })));
  const mailer = attachedMailer(fuse, server.port, world);
  try {
    await fuse.halt({ purpose: "offer", reason: "went to the wrong people", by: "erin" });
    tell("erin halts the purpose and looks at the incident:\n");
    const incident = await fuse.incident({ plan }, { right: (address) => right.has(address.toLowerCase()) });
    tell(incident.markdown());
    const correction = await incident.correction({
      requestedBy: "dana",
      rate: { messages: 1_000, per: "1s" },
      send: ({ address, mayHave: may }) =>
        mailer.send({
          to: address,
          subject: "Correction: an offer that was not meant for you",
          text: `${may ? mayHave : "You got"} an offer from us that was not meant for you. There is nothing to do.`,
        }),
    });
    tell(`dana plans the correction: ${correction.phrase}. erin confirms, and it leaves.`);
    await fuse.release(correction.id, { tokens: [await approveBlindly(fuse, correction.id)], concurrency: lanes });
    const ledger = await fuse.ledger.verify();
    return { incident, ledger };
  } finally {
    mailer.close();
    await fuse.close();
  }
}

function judge(
  server: FailingServer,
  truth: ReadonlySet<string>,
  audience: readonly string[],
  right: ReadonlySet<string>,
  { incident, ledger }: Corrected,
): Omit<DrillResult, "ms"> {
  const got = new Set(server.mailboxes.map(({ person }) => person));
  const unsure = server.mailboxes.filter(({ text }) => text.includes(mayHave)).map(({ person }) => person);
  // Who was told "may have" is whom the server never answered.
  const misworded = [...got].filter((person) => unsure.includes(person) !== (incident.fateOf(person) === "unknown"));
  const acceptedOnly = audience.filter((person) => incident.fateOf(person) === "accepted" && !right.has(person));
  return {
    ...hit(got, truth),
    unknown: unsure.length,
    duplicates: server.mailboxes.length - got.size,
    misworded: misworded.length,
    others: {
      wholeList: hit(new Set(audience), truth),
      intendedList: hit(right, truth),
      acceptedOnly: hit(new Set(acceptedOnly), truth),
    },
    incident: incident.data,
    ledger,
  };
}

function hit(audience: ReadonlySet<string>, truth: ReadonlySet<string>): Hit {
  const both = [...audience].filter((person) => truth.has(person)).length;
  return {
    people: audience.size,
    precision: audience.size === 0 ? 0 : both / audience.size,
    recall: truth.size === 0 ? 0 : both / truth.size,
  };
}

/** Every promise that was not kept. */
export function brokenInDrill({
  precision,
  recall,
  unknown,
  duplicates,
  misworded,
  others,
  ledger,
}: DrillResult): string[] {
  const broken: string[] = [];
  if (precision !== 1 || recall !== 1) broken.push(`precision ${precision}, recall ${recall}, expected 1 and 1`);
  if (duplicates > 0) broken.push(`${duplicates} people were corrected twice`);
  if (misworded > 0) broken.push(`${misworded} people got the other wording`);
  if (!ledger.ok) broken.push(`the ledger does not verify: ${ledger.problems[0]?.message}`);
  // A mistake that any audience would correct proves nothing.
  if (unknown === 0) broken.push("nobody's delivery was ambiguous");
  for (const [name, other] of Object.entries(others))
    if (other.precision === 1 && other.recall === 1) broken.push(`${name} would have been right as well`);
  return broken;
}
