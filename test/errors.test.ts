import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { errorCodes, MailfuseError } from "../src/index";

const documented = readFileSync(new URL("../docs/errors.md", import.meta.url), "utf8")
  .split(/^### /m)
  .slice(1);

describe("errors", () => {
  it("are documented, every one, with meaning and fix, and no other", () => {
    const codes = documented.map((section) => section.slice(0, section.indexOf("\n")));
    expect([...codes].sort()).toEqual([...errorCodes].sort());
    for (const section of documented) expect(section).toMatch(/\n\n.{20,}[\s\S]*\*\*What to do:\*\* .{10,}/);
  });

  it("carry every reason, and are known across copies of the package", () => {
    const error = new MailfuseError([
      { code: "CAP_EXCEEDED", message: "Expected 3, got 4.", fix: "Look.", where: "to[3]" },
      { code: "HALTED", message: "Expected on, got off." },
    ]);
    expect(error.message).toBe("CAP_EXCEEDED at to[3]: Expected 3, got 4. Look. (and 1 more reason)");
    expect(error.refusals.map((refusal) => refusal.code)).toEqual(["CAP_EXCEEDED", "HALTED"]);
    const foreign = Object.defineProperty(new Error("x"), Symbol.for("mailfuse.error"), { value: true });
    expect([
      MailfuseError.isInstance(error),
      MailfuseError.isInstance(foreign),
      MailfuseError.isInstance(new Error("x")),
    ]).toEqual([true, true, false]);
  });
});
