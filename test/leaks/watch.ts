/**
 * The search for leaks, in every test file: whatever mailfuse says or keeps while the file runs is looked
 * through for addresses, subjects and bodies. A file in which one is found fails.
 */
import process from "node:process";
import { afterAll, expect } from "vitest";
import type { Searched } from "../../scripts/leak-reporter.mjs";
import { beforeStop, type TestServer } from "../stores/servers";
import { watchChildren } from "./children";
import { watchFiles } from "./files";
import { type Finding, Findings } from "./findings";
import { listenToFuses } from "./listen";

declare module "vitest" {
  interface TaskMeta {
    /** For the reporter. */
    leaks?: Omit<Searched, "whole"> & Pick<Findings, "looks" | "milliseconds">;
  }
}

const { testPath = "" } = expect.getState();
const findings = new Findings(testPath, () => expect.getState().currentTestName ?? "");

globalThis.mailfuseTaps = listenToFuses(findings);
globalThis.mailfuseFindings = findings;
watchConsole();
watchChildren(findings);
const lookAtLeftovers = watchFiles(findings);
beforeStop.push(lookAtServer);

// The first of all: it runs when the test file's own have removed what they made.
// biome-ignore lint/correctness/noEmptyPattern: vitest reads it, and takes no other first argument.
afterAll(({}, { file }) => {
  lookAtLeftovers();
  const { looks, milliseconds, used } = findings;
  file.meta.leaks = {
    looks,
    milliseconds,
    used: [...used],
    exceptions: findings.exceptions.map(({ why, file: of }) => ({ why, everywhere: of === undefined })),
  };
  const found = findings.take();
  if (found.length > 0)
    throw new Error(`Expected no address, subject or body in clear, got\n${found.map(told).join("\n")}`);
});

function told({ kind, place, test, found, around }: Finding): string {
  return `  ${kind} ${place}: ${found}\n    in "${around}"\n    ${test || "outside of a test"}`;
}

function watchConsole(): void {
  for (const name of ["debug", "log", "info", "warn", "error"] as const) {
    const say = console[name];
    console[name] = (...args: unknown[]) => {
      findings.lookInto("console", name, args);
      say(...args);
    };
  }
  for (const name of ["stdout", "stderr"] as const) {
    const stream = process[name];
    const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
    stream.write = (...args: unknown[]) => {
      findings.lookInto("output", name, args[0]);
      return write(...args);
    };
  }
}

/** Reads all that a server holds; one that does not answer is known by its files. */
async function lookAtServer(server: TestServer): Promise<void> {
  const bytes = server.url.startsWith("redis:") ? redis(server) : postgres(server);
  const place = new URL(server.url).protocol.slice(0, -1);
  try {
    for await (const one of bytes) findings.look("server", place, one);
  } catch {
    // Tests stop, fill and freeze servers.
  }
}

async function* redis({ port }: TestServer): AsyncGenerator<Buffer> {
  const [{ Redis }, { redisBytes }] = await Promise.all([import("ioredis"), import("./dumps")]);
  const client = new Redis(port, "127.0.0.1", { retryStrategy: () => null, commandTimeout: 5_000 });
  client.on("error", () => {});
  try {
    yield* redisBytes(client);
  } finally {
    client.disconnect();
  }
}

async function* postgres({ url }: TestServer): AsyncGenerator<Buffer> {
  const [{ Pool }, { postgresBytes }] = await Promise.all([import("pg"), import("./dumps")]);
  const pool = new Pool({ connectionString: url, max: 1, connectionTimeoutMillis: 2_000, statement_timeout: 10_000 });
  pool.on("error", () => {});
  try {
    yield* postgresBytes(pool);
  } finally {
    await pool.end();
  }
}
