/** Runs the README's programs as a reader would, against a real mail server, and compares what they print. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { promisify } from "node:util";
import { SMTPServer } from "smtp-server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = path.resolve(import.meta.dirname, "..");
const readme = readFileSync(path.join(root, "README.md"), "utf8");
const programs = [...readme.matchAll(/```ts\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/g)].map(([, code, printed]) => ({
  code,
  printed,
}));
const run = promisify(execFile);

let folder: string;
let received = 0;
const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ["STARTTLS"],
  onData(stream, _session, done) {
    stream.resume().on("end", () => {
      received++;
      done();
    });
  },
});

beforeAll(async () => {
  // Inside the package, so that its own name resolves as it does for its users.
  folder = mkdtempSync(path.join(root, "test", ".readme-"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

describe("the README", () => {
  it("has programs with what they print, the first by line 20, and at most 200 lines", () => {
    expect(programs).toHaveLength([...readme.matchAll(/^```ts$/gm)].length);
    expect(readme.slice(0, readme.indexOf("```ts")).split("\n").length).toBeLessThanOrEqual(20);
    expect(readme.split("\n").length).toBeLessThanOrEqual(200);
  });

  it.each(programs.map((program, index) => ({ ...program, index })))(
    "prints what it says (program $index)",
    async ({ code, printed, index }) => {
      const file = path.join(folder, `program-${index}.ts`);
      writeFileSync(file, code as string);
      const { port } = server.server.address() as AddressInfo;
      const env = { PATH: process.env.PATH, HOME: process.env.HOME, SMTP_PORT: String(port) };
      const before = received;
      const { stdout } = await run(process.execPath, ["--import", "tsx", file], { cwd: root, env, timeout: 60_000 });
      expect(stdout).toBe(printed);
      // The first program's mail is refused; the others deliver two each.
      expect(received - before).toBe(index === 0 ? 0 : 2);
    },
    90_000,
  );
});
