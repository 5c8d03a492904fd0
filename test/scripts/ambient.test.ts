import { expect, test } from "vitest";
import { ambientReads } from "../../scripts/ambient.mjs";
import { layTree } from "./tree";

test.each([
  "Date.now()",
  "new Date()",
  "new Date",
  "Date()",
  "performance.now()",
  "process.hrtime.bigint()",
  "Math.random()",
  "[1].map(Math.random)",
])("%s is found in src and in adapters", (code) => {
  const tree = layTree({
    "src/a.ts": `export const f = () => ${code};`,
    "adapters/b.ts": `\nexport const f = ${code};`,
  });
  expect(ambientReads(tree)).toEqual([
    expect.stringMatching(/^src\/a\.ts:1: reads /),
    expect.stringMatching(/^adapters\/b\.ts:2: reads /),
  ]);
});

test("dates made from a value, text that speaks of the clock, and the clock itself pass", () => {
  const tree = layTree({
    "src/a.ts": 'export const f = (ms: number) => new Date(ms); // not Date.now()\nexport const s = "Math.random()";',
    "src/clock.ts": "export const now = () => Date.now();",
  });
  expect(ambientReads(tree)).toEqual([]);
});
