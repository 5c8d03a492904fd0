/**
 * From a mistake to its correction in one command: who got the wrong mail is found out from the
 * ledger of a process that was killed, and exactly these people get a correction.
 *
 *     npm run drill -- [--customers 1000] [--seed 1] [--json]
 */
import { parseArgs } from "node:util";
import { brokenInDrill, runDrill } from "./drill/drill";
import { makeWorld } from "./world";

const { values } = parseArgs({
  options: {
    customers: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
  },
});
const customers = Number(values.customers);
const seed = Number(values.seed);
if (!Number.isSafeInteger(customers) || customers < 300 || !Number.isSafeInteger(seed)) {
  console.error("Expected --customers to be a whole number of at least 300, and --seed a whole number.");
  process.exit(2);
}

const result = await runDrill(makeWorld(seed, customers), (step) => {
  if (!values.json) console.log(step);
});
const broken = brokenInDrill(result);
const { incident, ledger, ...figures } = result;
if (values.json)
  console.log(
    JSON.stringify({ ...figures, reached: incident.people, ledger: { ok: ledger.ok, lines: ledger.lines }, broken }),
  );
else {
  const rows = {
    "from the ledger": result,
    "the whole list": result.others.wholeList,
    "the intended list": result.others.intendedList,
    "accepted only": result.others.acceptedOnly,
  };
  console.log("\nWhom the correction goes to, as the mail server judges it:\n");
  for (const [name, { people, precision, recall }] of Object.entries(rows))
    console.log(
      `  ${name.padEnd(20)} ${String(people).padStart(5)} people   precision ${precision.toFixed(3)}   recall ${recall.toFixed(3)}`,
    );
  console.log(
    `\n${result.unknown} of them may have received the mistake, and are told so. The ledger ${ledger.ok ? "verifies" : "does NOT verify"}.`,
  );
  for (const promise of broken) console.log(`BROKEN  ${promise}`);
}
process.exit(broken.length > 0 ? 1 : 0);
