/**
 * Replays real incidents on a real mail server, without and with mailfuse.
 *
 *     npm run replay -- [--customers 10000] [--seed 1] [--only 2,3] [--client sendgrid] [--store redis] [--ablate] [--json]
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { ablations } from "./ablate";
import { providers } from "./clients/providers";
import { brokenInDrill, type DrillResult, runDrill } from "./drill/drill";
import { defaultBound } from "./production";
import { type Result, runAblated, runScenario } from "./run";
import { afterTheFact, scenarios } from "./scenarios/index";
import type { Figures } from "./score";
import { skippedStores, storeKinds } from "./stores";
import { makeWorld } from "./world";

const { values } = parseArgs({
  options: {
    customers: { type: "string", default: "10000" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
    client: { type: "string", default: "nodemailer" },
    store: { type: "string", default: "memory" },
    ablate: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});

const customers = whole("customers", values.customers, 300);
const seed = whole("seed", values.seed, 0);
const only = values.only?.split(",").map((id) => id.trim());
const chosen = scenarios.filter(
  (scenario) => !only || only.some((id) => scenario.id === id || scenario.id.replace(/\D+$/, "") === id),
);
const corrects = !only || only.includes(afterTheFact.id);
if (chosen.length === 0 && !corrects)
  fail(`--only names no scenario; there are ${[...scenarios, afterTheFact].map(({ id }) => id).join(", ")}`);

if (values.client !== "nodemailer" && !(values.client in providers)) {
  fail(`Expected --client to be nodemailer, ${Object.keys(providers).join(", ")}, got ${values.client}.`);
}

const openStores = storeKinds[values.store];
if (!openStores) fail(`Expected --store to be ${Object.keys(storeKinds).join(", ")}, got ${values.store}.`);

if (skippedStores[values.store]) {
  console.error(`skip --store ${values.store}: ${skippedStores[values.store]}`);
  process.exit(0);
}

const world = makeWorld(seed, customers);
if (values.ablate) await ablate();
else await replay();

async function replay(): Promise<void> {
  const results: Result[] = [];
  const stores = await openStores?.();
  for (const scenario of chosen) results.push(await runScenario(world, scenario, progress, values.client, stores));
  await stores?.end();
  progress(corrects ? afterTheFact.id : "");
  const correction = corrects ? await runDrill(world, () => {}) : undefined;
  const broken = correction ? brokenInDrill(correction) : [];
  progress("");
  if (values.json) {
    const after = correction ? [{ ...afterTheFact, ...figuresOf(correction), broken }] : [];
    const { client, store } = values;
    console.log(JSON.stringify({ seed, customers, client, store, scenarios: [...results, ...after] }));
  } else print(results, correction, broken);
  if (results.some((result) => result.broken.length > 0) || broken.length > 0) process.exitCode = 1;
}

function figuresOf({ people, precision, recall, unknown, others }: DrillResult) {
  return { people, precision, recall, unknown, others };
}

/** Which incidents get through when one guard is taken away. */
async function ablate(): Promise<void> {
  const rows: { without: string; through: Record<string, string> }[] = [];
  for (const ablation of ablations) {
    const through: Record<string, string> = {};
    for (const scenario of chosen) {
      if (!scenario.buggy) continue;
      progress(`without ${ablation.name}: ${scenario.id}`);
      const { guarded, untagged } = await runAblated(world, scenario, ablation);
      const tagged = guarded.wrong + guarded.duplicates + guarded.disclosed > 0 ? harm(guarded) : "";
      const bound = untagged.wrong > defaultBound ? `${untagged.wrong} wrong untagged` : "";
      if (tagged || bound) through[scenario.id] = [tagged, bound].filter(Boolean).join(", ");
    }
    rows.push({ without: ablation.name, through });
  }
  progress("");
  if (values.json) console.log(JSON.stringify({ seed, customers, ablations: rows }));
  else {
    for (const { without, through } of rows) {
      const list = Object.entries(through).map(([id, what]) => `${id}: ${what}`);
      console.log(`without ${without.padEnd(24)} ${list.join("; ") || "no incident gets through"}`);
    }
  }
  // With nothing taken away nothing gets through; with any guard taken away something must.
  if (rows.some(({ without, through }) => (without === "nothing") !== (Object.keys(through).length === 0)))
    process.exitCode = 1;
}

function print(results: readonly Result[], correction: DrillResult | undefined, brokenAfter: readonly string[]): void {
  console.log(
    `\n${customers} customers, seed ${seed}. Client: ${values.client}, store: ${values.store}. Figures are people, as counted from what the mail server received.\n`,
  );
  console.log(
    `${"".padEnd(4)}${"incident".padEnd(60)}${"without".padEnd(30)}${"with mailfuse".padEnd(22)}${"fixed program".padEnd(22)}no purpose`,
  );
  for (const { id, title, bare, guarded, fixed, untagged, broken } of results) {
    console.log(
      `${id.padEnd(4)}${title.slice(0, 58).padEnd(60)}${harm(bare).padEnd(30)}${harm(guarded).padEnd(22)}${right(fixed).padEnd(22)}${untagged ? `${untagged.wrong} wrong (≤ ${untagged.bound})` : "–"}`,
    );
    if (guarded && guarded.codes.length > 0)
      console.log(`    ${"".padEnd(60)}${"".padEnd(30)}${guarded.codes.join(", ")}`);
    for (const promise of broken) console.log(`    BROKEN  ${promise}`);
  }
  if (correction) printCorrection(correction, brokenAfter);
  const broken = results.filter((result) => result.broken.length > 0).length + (brokenAfter.length > 0 ? 1 : 0);
  const all = results.length + (correction ? 1 : 0);
  console.log(`\n${all - broken} passed, ${broken} failed`);
}

/** Precision and recall of the correction's audience, and of those that people reach for. */
function printCorrection({ precision, recall, people, unknown, others }: DrillResult, broken: readonly string[]): void {
  const { wholeList, intendedList, acceptedOnly } = others;
  const shown = (name: string, hit: typeof wholeList) => `${name} ${hit.precision.toFixed(2)}/${hit.recall.toFixed(2)}`;
  console.log(
    `${afterTheFact.id.padEnd(4)}${afterTheFact.title.padEnd(60)}${shown("whole list", wholeList)}, ${shown("intended", intendedList)}, ${shown("accepted only", acceptedOnly)}`,
  );
  console.log(
    `    ${"precision/recall of the correction's audience".padEnd(60)}with mailfuse ${precision.toFixed(2)}/${recall.toFixed(2)}: ${people} people, ${unknown} of them may have got it`,
  );
  for (const promise of broken) console.log(`    BROKEN  ${promise}`);
}

function harm(figures: Figures | undefined): string {
  if (!figures) return "–";
  const parts = (["wrong", "duplicates", "disclosed"] as const)
    .filter((key) => figures[key] > 0)
    .map((key) => `${figures[key]} ${key}`);
  return parts.join(", ") || "0 wrong";
}

function right(figures: Figures): string {
  return `${figures.missed} missed, ${figures.refused} refused`;
}

function progress(step: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${step}`);
}

function whole(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least)
    fail(`Expected --${name} to be a whole number of at least ${least}, got ${text}.`);
  return value;
}

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}
