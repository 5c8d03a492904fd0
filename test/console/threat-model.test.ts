import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");

it("names a test that is there for every attack", () => {
  const text = readFileSync(path.join(root, "docs/threat-model.md"), "utf8");
  const rows = [...text.matchAll(/^\| [^|]+ \| [^|]+ \| `(test\/[\w./-]+)`: ([^|]+) \|$/gm)];
  expect(rows.length).toBe(text.split("\n").filter((line) => line.startsWith("| ")).length - 2);
  const missing = rows.filter(
    ([, file = "", name = ""]) => !readFileSync(path.join(root, file), "utf8").includes(`it("${name}"`),
  );
  expect(missing.map(([, , name]) => name)).toEqual([]);
});
