/** Reading one address, and matching it against an allowlist. */

import { parseAddress as upyo } from "@upyo/core";
import emailAddresses from "email-addresses";
import { parseAddress } from "mailfuse/adapter";
import addressparser from "nodemailer/lib/addressparser";
import { compileAllowlist } from "../../src/allowlist";
import { inTurns, median, readable, summary } from "../measure";
import type { Row } from "../row";

const count = 1_000;
const bare = Array.from({ length: count }, (_, index) => `customer.${index}@mail-${index % 40}.acme.test`);
const named = bare.map((address, index) => `Ana Ruiz ${index} <${address}>`);
const all = bare.map((address, index) => (index % 2 === 0 ? address : (named[index] as string)));

/** Reads every address so many times; the sum keeps the compiler from leaving the work out. */
function side(read: (address: string) => unknown) {
  return (times: number) => {
    let found = 0;
    for (let round = 0; round < times; round++) for (const address of all) if (read(address)) found++;
    if (found !== times * count)
      throw new Error(`Expected every address to be read, got ${found} of ${times * count}.`);
  };
}

const parse: Row = {
  id: "parse",
  what: "reading an address, bare and `Name <a@b>` in equal parts, against nodemailer's addressparser",
  unit: "x",
  target: { is: ">=", value: 10 },
  async measure(effort) {
    const ours = side((address) => !("code" in parseAddress(address, "to")));
    const times = 60;
    const rounds = await inTurns(
      effort,
      times,
      ours,
      side((address) => addressparser(address).length === 1),
    );
    // A hundred times slower, so that a few are enough.
    const others = await inTurns(
      effort,
      2,
      ours,
      side((address) => emailAddresses.parseOneAddress(address) !== null),
    );
    const thirds = await inTurns(
      effort,
      times,
      ours,
      side((address) => upyo(address) !== undefined),
    );
    const ratios = (list: typeof rounds) => list.map((round) => round.theirs.cpu / round.ours.cpu);
    return {
      ...summary(ratios(rounds)),
      peer: `addressparser ${readable(median(rounds.map(({ theirs }) => theirs.cpu)) / count)} us each`,
      note: `email-addresses takes ${readable(median(ratios(others)))} x as long, @upyo/core's parseAddress ${readable(median(ratios(thirds)))} x`,
    };
  },
};

const allowlist: Row = {
  id: "allowlist",
  what: "matching an address against an allowlist of 1,000 rules (from the sources: the package does not export it)",
  unit: "us",
  target: { is: "<=", value: 0.3 },
  async measure(effort) {
    const rules = Array.from({ length: 1_000 }, (_, index) =>
      index % 3 === 0
        ? `person.${index}@acme.com`
        : index % 3 === 1
          ? `*@host-${index}.acme.com`
          : `qa-${index}+*@acme.com`,
    );
    const list = compileAllowlist(rules, { key: "allow" });
    const recipients = Array.from({ length: count }, (_, index) => {
      const person =
        index % 2 === 0 ? `x@host-${index - (index % 3) + 1}.acme.com` : `stranger.${index}@mail-${index}.test`;
      return { field: "to" as const, address: person, person };
    });
    const rounds = await inTurns(
      effort,
      300,
      (times) => {
        let allowed = 0;
        for (let round = 0; round < times; round++) for (const one of recipients) if (list.allows(one)) allowed++;
        if (allowed === 0) throw new Error("Expected some of the addresses to be allowed, got none.");
      },
      () => {},
    );
    return summary(rounds.map(({ ours }) => ours.cpu / count));
  },
};

export const addressRows: readonly Row[] = [parse, allowlist];
