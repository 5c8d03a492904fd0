/** Passes, and leaks: only the search makes it fail. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "vitest";
import { createFuse } from "../../../src/index";

it("a test that passes", async () => {
  const fuse = createFuse({
    environment: "staging",
    environments: { staging: { mode: "test" } },
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  });
  await fuse.halt({ reason: "ann@planted.test complained", by: "erin" });
  await fuse.close();
  writeFileSync(join(mkdtempSync(join(tmpdir(), "mailfuse-planted-")), "left"), "ann@planted.test");
});
