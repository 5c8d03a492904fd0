/**
 * Plans addresses from a file in a process of its own, so that its peak memory is its own: reads,
 * parses and normalises each, counts people exactly and by domain, names each by a keyed pseudonym, and
 * takes the digest. From the sources: what `fuse.plan` does for each person, without the mail.
 *
 *     plan-process.ts FILE EXPECTED
 */
import { createReadStream } from "node:fs";
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

let rest = "";
for await (const chunk of createReadStream(file, { encoding: "latin1", highWaterMark: 1 << 18 })) {
  const lines = (rest + String(chunk)).split("\n");
  rest = lines.pop() ?? "";
  for (const line of lines) add(line);
}
if (rest !== "") add(rest);
const digest = people.digest();
const ms = performance.now() - start;
// In kilobytes, on every system that Node runs on.
const mb = process.resourceUsage().maxRSS / 1024;
process.send?.({ ms, mb, people: people.size, domains: domains.top(10).top.length, digest });
