/**
 * Counts a million addresses as a plan does: normalised, distinct, by domain, a keyed pseudonym for
 * each, one digest; in a process of its own.
 *
 *     tsx test/plan/scale/count.ts addresses.txt
 *
 * @module
 */
import { createReadStream } from "node:fs";
import process from "node:process";
import { Domains } from "../../../src/plan/domains";
import { People } from "../../../src/plan/people";
import { createSecrets } from "../../../src/secrets";

const [path = ""] = process.argv.slice(2);
const started = process.hrtime.bigint();
const secrets = createSecrets(["a secret of some length"]);
const people = new People(1_000_000);
const domains = new Domains();
let rest = "";
let lines = 0;
for await (const chunk of createReadStream(path, { encoding: "latin1", highWaterMark: 65_536 })) {
  const texts = (rest + (chunk as string)).split("\n");
  rest = texts.pop() ?? "";
  for (const text of texts) {
    const person = text.trim().toLowerCase();
    if (people.add(secrets.pseudonym(person))) domains.add(person, lines, 0);
    lines++;
  }
}
const digest = people.digest();
const usage = process.resourceUsage();
console.log(
  JSON.stringify({
    lines,
    people: people.size,
    top: domains.top(2).top,
    digest: digest.slice(0, 8),
    ms: Number((process.hrtime.bigint() - started) / 1_000_000n),
    peakRssMb: Math.round(usage.maxRSS / 1024),
  }),
);
