import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");
const doc = readFileSync(path.join(root, "docs/adapters.md"), "utf8");
const rows = doc
  .split("\n")
  .filter((line) => line.startsWith("|"))
  .map((line) => line.split("|").map((cell) => cell.trim()));
const names = readdirSync(path.join(root, "adapters"))
  .filter((file) => file.endsWith(".ts") && file !== "fetch.ts")
  .map((file) => file.replace(/\.ts$/, ""));

/** The version of an installed package, major and minor. */
function installed(name: string): string {
  const { version } = JSON.parse(readFileSync(path.join(root, "node_modules", name, "package.json"), "utf8"));
  return (version as string).split(".").slice(0, 2).join(".");
}

/** Other versions of a package that are installed under a name of their own. */
const aliases: Readonly<Record<string, readonly string[]>> = {
  nodemailer: ["nodemailer-6", "nodemailer-7", "nodemailer-9"],
  "customerio-node": ["customerio-node-5"],
};

describe("docs/adapters.md", () => {
  it.each(names)("has %s in each table", (name) => {
    expect(rows.filter((cells) => cells.includes(`\`mailfuse/${name}\``))).toHaveLength(2);
  });

  const tested = rows.filter(
    (cells) => cells.length === 7 && names.some((name) => cells[2] === `\`mailfuse/${name}\``),
  );
  const claims = tested.flatMap(([, client = "", entry = ""]) =>
    client
      .split(/[\s,()]+/)
      .filter((word) => /^[@a-z]/.test(word) && word !== "also" && word !== "and")
      .map((name) => [name, client, entry] as const),
  );
  it("names a package for every adapter", () => {
    expect(new Set(claims.map(([, , entry]) => entry)).size).toBe(names.length);
  });

  it.each(claims)("names the versions of %s that are tested", (name, client) => {
    for (const one of [name, ...(aliases[name] ?? [])])
      expect([one, client]).toEqual([one, expect.stringContaining(installed(one))]);
  });
});
