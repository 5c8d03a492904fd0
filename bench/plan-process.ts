/**
 * Plans addresses from a file in a process of its own, so that its peak memory is its own: reads,
 * parses and normalises each, counts people exactly and by domain, names each by a keyed pseudonym, and
 * takes the digest. From the sources, bundled by `planning.ts`: what `fuse.plan` does for each person,
 * without the mail.
 *
 *     plan-process.ts FILE EXPECTED
 */
import { openSync, readSync } from "node:fs";
import process from "node:process";
import { parseAddress } from "../src/address";
import { Domains } from "../src/plan/domains";
import { People } from "../src/plan/people";
import { createSecrets } from "../src/secrets";

const [file = "", expected = "0"] = process.argv.slice(2);
const secrets = createSecrets(["the bench's own secret"]);
const start = performance.now();
const people = new People(Number(expected));
const domains = new Domains();
let entry = 0;

function add(line: string): void {
  const address = parseAddress(line, "to");
  if ("code" in address) throw new Error(`Expected an address on each line, got ${address.code}.`);
  if (people.add(secrets.pseudonym(address.person))) domains.add(address.person, entry, 0);
  entry++;
}

const descriptor = openSync(file, "r");
const block = Buffer.allocUnsafeSlow(1 << 16);
// A line whose end is still to be read.
let begun = "";
for (let read = 1; read > 0; ) {
  read = readSync(descriptor, block);
  const lines = (begun + block.toString("latin1", 0, read)).split("\n");
  begun = lines.pop() as string;
  for (const line of lines) add(line);
}
if (begun !== "") add(begun);
const digest = people.digest();
const ms = performance.now() - start;
// In kilobytes, on every system that Node runs on.
const mb = process.resourceUsage().maxRSS / 1024;
process.send?.({ ms, mb, people: people.size, domains: domains.top(10).top.length, digest });
