/** Whatever step of a send its process dies at: the ledger never lacks a mail that left. */
import { type ChildProcess, fork } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { SMTPServer } from "smtp-server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFuse, generateKeys } from "../../src/index";
import { sqliteStore } from "../../src/stores/sqlite";
import { type CrashJob, crashConfig } from "./crash-job";

const folder = mkdtempSync(join(tmpdir(), "mailfuse-crash-"));
const cache = resolve("node_modules/.cache/mailfuse-crash", String(process.pid));
const keys = generateKeys();
const secret = "the secret of the crash test";
const singles = ["one@people.example"];
const planned = ["a@people.example", "b@people.example"];

/** Steps of a mail that the server sees. */
const steps = ["recipient", "text begins", "text ends", "answered"] as const;
type Step = (typeof steps)[number];

let arrived: string[] = [];
let onStep: (step: Step, mail: number) => void = () => {};
let mails = 0;
const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ["STARTTLS"],
  disableReverseLookup: true,
  closeTimeout: 50,
  onRcptTo(_address, _session, done) {
    mails++;
    onStep("recipient", mails);
    done();
  },
  onData(stream, session, done) {
    const mail = mails;
    onStep("text begins", mail);
    stream.resume();
    stream.on("end", () => {
      // From here on it stands in a mailbox, whether the process hears of it or not.
      arrived.push(...session.envelope.rcptTo.map(({ address }) => address));
      onStep("text ends", mail);
      done();
      setImmediate(() => onStep("answered", mail));
    });
  },
});
server.on("error", () => {});

let program = "";
let runs = 0;

beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  mkdirSync(cache, { recursive: true });
  program = join(cache, "child.mjs");
  await build({
    entryPoints: ["test/ledger/crash-child.ts"],
    outfile: program,
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
    logLevel: "silent",
  });
});

afterAll(async () => {
  await new Promise<void>((done) => server.close(() => done()));
  for (const path of [folder, cache]) rmSync(path, { recursive: true, force: true });
});

/** Runs a process to its end or death. */
async function run(at: CrashJob["at"], step?: { readonly step: Step; readonly mail: number }) {
  arrived = [];
  mails = 0;
  const path = join(folder, `${runs++}.db`);
  const { port } = server.server.address() as AddressInfo;
  const job: CrashJob = { path, port, ...keys, secret, singles, planned, ...(at ? { at } : {}) };
  const child: ChildProcess = fork(program, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  let calls = 0;
  child.on("message", (told: { calls: number }) => {
    calls = told.calls;
  });
  onStep = (seen, mail) => {
    if (step?.step === seen && step.mail === mail) child.kill("SIGKILL");
  };
  const ended = new Promise<NodeJS.Signals | null>((done) => child.once("exit", (_code, signal) => done(signal)));
  child.send(job);
  const signal = await ended;
  // What the server had in its hands when the process died still arrives.
  await new Promise((done) => setTimeout(done, 20));
  return { path, calls, signal, got: [...arrived] };
}

/** Looks from another process: who has mail, and does the ledger know? */
async function lacking(path: string, got: readonly string[]): Promise<string[]> {
  const store = sqliteStore({ path });
  const fuse = createFuse(crashConfig({ publicKey: keys.publicKey, secret }, store));
  try {
    const known = new Set<string>();
    const plans = await store.plans(10);
    const scopes = [{ purpose: "note", from: 0 }, ...plans.map(({ id }) => ({ plan: id }))];
    for (const scope of scopes) {
      const incident = await fuse.incident(scope, { right: [] }).catch((error: { code?: string }) => {
        if (error.code !== "INCIDENT_UNKNOWN") throw error;
      });
      for (const { address } of (await incident?.audience()) ?? []) known.add(address);
    }
    const { ok, problems } = await fuse.ledger.verify();
    return [...got.filter((address) => !known.has(address)), ...(ok ? [] : problems.map(({ message }) => message))];
  } finally {
    await fuse.close();
  }
}

describe("the ledger, when a process dies", () => {
  it("knows of every mail that left, whichever call of the store was the last", async () => {
    const whole = await run(undefined);
    expect(whole.signal).toBeNull();
    expect([...whole.got].sort()).toEqual([...singles, ...planned].sort());
    expect(await lacking(whole.path, whole.got)).toEqual([]);
    expect(whole.calls).toBeGreaterThan(10);
    let killed = 0;
    let halfWay = 0;
    for (let call = 0; call < whole.calls; call++) {
      for (const when of ["before", "after"] as const) {
        const { path, signal, got } = await run({ call, when });
        // The order of calls in the background is not always the same: the last of them may not come.
        if (signal === "SIGKILL") killed++;
        if (got.length > 0 && got.length < 3) halfWay++;
        expect(await lacking(path, got), `${when} call ${call}`).toEqual([]);
      }
    }
    expect(killed).toBeGreaterThan(whole.calls);
    expect(halfWay).toBeGreaterThan(5);
  }, 240_000);

  it("knows of every mail that left, whatever the server had seen of it", async () => {
    for (const mail of [1, 3]) {
      for (const step of steps) {
        const { path, got } = await run(undefined, { step, mail });
        expect(await lacking(path, got), `${step} of mail ${mail}`).toEqual([]);
        if (step === "text ends") expect(got.length).toBeGreaterThanOrEqual(mail);
      }
    }
  }, 120_000);
});
