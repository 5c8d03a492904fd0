/**
 * Runs one scenario four ways: the buggy program without mailfuse, with it, with it but with no
 * purpose recognised, and the fixed program with it.
 */
import { type Fuse, MailfuseError } from "mailfuse";
import type { Ablation } from "./ablate";
import { startApiServer } from "./api-server";
import { nodemailerClient } from "./clients/nodemailer";
import { providers } from "./clients/providers";
import { type MailServer, startMailServer } from "./mail-server";
import { approveBlindly, createFuse, defaultBound, productionConfig } from "./production";
import type { App, Mail, MassSend, Scenario } from "./scenario";
import { type Figures, score } from "./score";
import { type Stores, storeKinds } from "./stores";
import type { World } from "./world";

export interface Result {
  readonly id: string;
  readonly title: string;
  readonly bare?: Figures;
  readonly guarded?: Figures;
  readonly fixed: Figures;
  /** With no purpose recognised the promise is the default cap: at most `bound` people. */
  readonly untagged?: Figures & { readonly bound: number };
  /** Every promise that was not kept. */
  readonly broken: readonly string[];
}

type Way = "bare" | "guarded" | "untagged";

export async function runScenario(
  world: World,
  scenario: Scenario,
  tell: (step: string) => void,
  provider = "nodemailer",
  stores?: Stores,
): Promise<Result> {
  const lists = new Map([[world.list, world.customers.map((customer) => customer.email)]]);
  const server = await (provider === "nodemailer" ? startMailServer(lists) : startApiServer(lists));
  const run = (way: Way, program: Scenario["fixed"], fixed: boolean) => {
    tell(`${scenario.id} ${fixed ? "fixed" : way}`);
    return runProgram({
      world,
      scenario,
      server,
      way,
      program,
      fixed,
      ablation: { name: "nothing" },
      provider,
      stores,
    });
  };
  try {
    const { buggy } = scenario;
    const bare = buggy && (await run("bare", buggy, false));
    const guarded = buggy && (await run("guarded", buggy, false));
    const untagged = buggy && (await run("untagged", buggy, false));
    const fixed = await run("guarded", scenario.fixed, true);
    const result = {
      id: scenario.id,
      title: scenario.title,
      ...(bare ? { bare } : {}),
      ...(guarded ? { guarded } : {}),
      fixed,
      ...(untagged ? { untagged: { ...untagged, bound: defaultBound } } : {}),
    };
    return { ...result, broken: brokenPromises(result) };
  } finally {
    await server.close();
  }
}

/** The two runs in which a missing guard shows: the buggy program guarded, and with no purpose recognised. */
export async function runAblated(
  world: World,
  scenario: Scenario,
  ablation: Ablation,
): Promise<{ readonly guarded: Figures; readonly untagged: Figures }> {
  const server = await startMailServer(new Map([[world.list, world.customers.map((customer) => customer.email)]]));
  const program = scenario.buggy ?? scenario.fixed;
  try {
    const guarded = await runProgram({ world, scenario, server, way: "guarded", program, fixed: false, ablation });
    const untagged = await runProgram({ world, scenario, server, way: "untagged", program, fixed: false, ablation });
    return { guarded, untagged };
  } finally {
    await server.close();
  }
}

/** How many replicas the application runs on. */
const replicaCount = 4;

interface Run {
  readonly world: World;
  readonly scenario: Scenario;
  readonly server: MailServer;
  readonly way: Way;
  readonly program: Scenario["fixed"];
  readonly fixed: boolean;
  readonly ablation: Ablation;
  readonly provider?: string;
  /** @default in memory */
  readonly stores?: Stores | undefined;
}

async function runProgram(run: Run): Promise<Figures> {
  const { world, scenario, server, way, program, fixed, ablation, provider } = run;
  server.clear();
  const stores = run.stores ?? (await storeKinds.memory?.());
  const store = await stores?.fresh();
  if (!store) throw new Error("Expected a store for each run.");
  const guarded = way !== "bare";
  const open = (provider !== undefined && providers[provider]) || nodemailerClient;
  const configure = ablation.config ?? ((config) => config);
  // Each replica is its own client and its own fuse; the store is what they share.
  const replicas = Array.from({ length: replicaCount }, () => {
    const client = open(server.port, `post@${world.domain}`);
    const fuse = guarded
      ? createFuse(configure(productionConfig(world, scenario.environment, store.open()), world))
      : undefined;
    return { client, fuse, detach: fuse ? client.attach(fuse) : () => {} };
  });
  const [{ fuse }] = replicas as [(typeof replicas)[number]];
  const refusals: string[] = [];
  const posts = replicas.map(
    ({ client }) =>
      (mail: Mail) =>
        client
          .post(way === "untagged" ? withoutTag(mail) : mail)
          .catch((error: unknown) => noteRefusal(error, refusals)),
  );
  const app: App = {
    world,
    post: posts[0] as App["post"],
    replicas: posts,
    run: (context, work) => (fuse && way === "guarded" ? fuse.run(context, work) : work()),
    mass: (send) =>
      fuse && way === "guarded" ? planned(fuse, send, refusals, ablation) : Promise.resolve(() => sendLive(send)),
  };
  // A refusal may end the program, as it would end the job; what counts is who got mail.
  await program(app).catch((error: unknown) => {
    if (!MailfuseError.isInstance(error)) throw error;
  });
  for (const replica of replicas) {
    await replica.fuse?.flush();
    replica.detach();
    replica.client.close();
  }
  await store.end();
  const intended = fixed && scenario.intendedFixed ? scenario.intendedFixed(world) : scenario.intended(world);
  return score(server.mailboxes, intended, refusals, world.list);
}

/** The program as it is without a plan: it looks the audience up and mails it. */
async function sendLive<Item>({ audience, send }: MassSend<Item>): Promise<void> {
  for (const item of audience()) await send(item).catch(() => {});
}

/** The one line that makes a plan; the approver approves whatever the fuse has not refused. */
async function planned<Item>(
  fuse: Fuse,
  { purpose, expectedPeople, audience, send, data, reviewed }: MassSend<Item>,
  refusals: string[],
  ablation: Ablation,
): Promise<() => Promise<void>> {
  const make = () =>
    fuse.plan(
      {
        purpose,
        expectedPeople: ablation.noExpectation ? Number.MAX_SAFE_INTEGER : expectedPeople,
        requestedBy: "dana",
      },
      { audience: audience(), send, ...(data ? { data } : {}) },
    );
  let plan = await make();
  if (plan.state === "refused" && reviewed) plan = await fuse.exclude(plan.id, { by: "dana" });
  if (plan.state === "refused") refusals.push(...Object.keys(plan.refusalCounts));
  return async () => {
    if (ablation.notFrozen) plan = await make();
    const tokens = [await approveBlindly(fuse, plan.id)];
    if (plan.state !== "refused") await fuse.release(plan.id, { tokens });
  };
}

function noteRefusal(error: unknown, refusals: string[]): never {
  if (MailfuseError.isInstance(error)) refusals.push(error.code);
  throw error;
}

function withoutTag({ to, subject, text }: Mail): Mail {
  return { to, subject, text };
}

function brokenPromises({ bare, guarded, fixed, untagged }: Omit<Result, "broken">): string[] {
  const broken: string[] = [];
  const zero = (name: string, figures: Figures | undefined, ...keys: readonly (keyof Figures)[]) => {
    for (const key of keys)
      if (figures && figures[key] !== 0) broken.push(`${name}: ${key} ${String(figures[key])}, expected 0`);
  };
  zero("guarded", guarded, "wrong", "duplicates", "disclosed");
  zero("fixed", fixed, "wrong", "duplicates", "disclosed", "missed", "refused");
  if (untagged && untagged.wrong > untagged.bound)
    broken.push(`untagged: wrong ${untagged.wrong}, expected at most ${untagged.bound}`);
  // A story whose bug does no harm without a guard would prove nothing.
  if (bare && bare.wrong + bare.duplicates + bare.disclosed === 0) broken.push("bare: the bug does no harm");
  return broken;
}
