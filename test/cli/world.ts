/**
 * A project that uses mailfuse: the built package, a configuration, a SQLite store that outlives
 * each command, and a mail server that says what it received.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";
import { SMTPServer } from "smtp-server";
import { bins, entries } from "../../scripts/entries.mjs";

const root = path.resolve(import.meta.dirname, "../..");

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The package as it is published, built once for a test file. Inside the repository: its dependencies are found there. */
export async function buildPackage(): Promise<string> {
  const cache = path.join(root, "node_modules/.cache");
  mkdirSync(cache, { recursive: true });
  const directory = mkdtempSync(path.join(cache, "mailfuse-cli-"));
  const target = path.join(directory, "mailfuse");
  mkdirSync(target);
  await build({
    entryPoints: [
      ...entries().map(({ name, source }) => ({ in: path.join(root, source), out: name })),
      ...bins().map(({ source, file }) => ({ in: path.join(root, source), out: file.replace(/^dist\/|\.js$/g, "") })),
    ],
    outdir: path.join(target, "dist"),
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    logLevel: "error",
  });
  writeFileSync(path.join(target, "package.json"), readFileSync(path.join(root, "package.json")));
  return directory;
}

const config = `
import { createFuse } from "mailfuse";
import { nodemailerAdapter } from "mailfuse/nodemailer";
import { sqliteStore } from "mailfuse/stores/sqlite";
import { createTransport } from "nodemailer";

export const mailer = createTransport({ host: "127.0.0.1", port: Number(process.env.SMTP_PORT), ignoreTLS: true });
export const fuse = createFuse({
  environment: process.env.APP_ENV ?? "production",
  environments: { production: { mode: "live" }, staging: { mode: "test", allow: ["*@acme.test"] } },
  purposes: {
    receipt: { kind: "stream", match: { subject: /^Receipt/ }, caps: [{ people: 2, per: "1h" }] },
    refund: { kind: "bulk", caps: [{ people: 500, per: "24h" }], confirm: { approvals: 1 } },
  },
  defaults: { caps: [{ people: 100, per: "1h" }], confirm: { abovePeople: 25 } },
  approvers: JSON.parse(process.env.APPROVERS ?? "{}"),
  requesters: ["dana"],
  store: sqliteStore({ path: "mailfuse.db" }),
  secret: "a secret of the command line's tests",
});
fuse.attach(mailer, nodemailerAdapter());
console.log("the application prints something");
`;

/** Plans as an application would, and prints the plan. */
const planning = `
import { fuse, mailer } from "./mailfuse.config.mjs";
const audience = process.argv.slice(2);
const plan = await fuse.plan(
  { purpose: "refund", expectedPeople: audience.length, requestedBy: "dana" },
  { audience, send: (to) => mailer.sendMail({ from: "shop@acme.test", to, subject: "Your refund", text: "Dear " + to + ", your refund is on its way." }) },
);
process.stdout.write(JSON.stringify({ id: plan.id, state: plan.state, phrase: plan.phrase }));
await fuse.close();
mailer.close();
`;

/** A project and its mail server. */
export class World {
  readonly directory: string;
  readonly received: string[] = [];
  readonly env: Record<string, string> = {};
  #server: SMTPServer | undefined;
  readonly #children = new Set<ChildProcess>();

  constructor(built: string, files: Readonly<Record<string, string>> = {}) {
    this.directory = mkdtempSync(path.join(built, "project-"));
    mkdirSync(path.join(this.directory, "node_modules"));
    symlinkSync(path.join(built, "mailfuse"), path.join(this.directory, "node_modules/mailfuse"), "dir");
    const all = { "package.json": '{"type":"module"}', "mailfuse.config.mjs": config, "plan.mjs": planning, ...files };
    for (const [name, text] of Object.entries(all)) writeFileSync(path.join(this.directory, name), text);
  }

  /** Starts the mail server. */
  async listen(): Promise<this> {
    const server = new SMTPServer({
      disabledCommands: ["AUTH", "STARTTLS"],
      onData: (stream, session, done) => {
        stream.resume();
        stream.on("end", () => {
          this.received.push(...session.envelope.rcptTo.map(({ address }) => address));
          done();
        });
      },
    });
    this.#server = server;
    const port = await new Promise<number>((resolve) =>
      server.listen(0, "127.0.0.1", () => resolve((server.server.address() as { port: number }).port)),
    );
    this.env.SMTP_PORT = String(port);
    return this;
  }

  get bin(): string {
    return path.join(this.directory, "node_modules/mailfuse/dist/cli.js");
  }

  /** Runs a command without a terminal. */
  run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
    return this.#collect(process.execPath, [this.bin, ...args], env);
  }

  /** Runs a script of the project. */
  async script(file: string, args: readonly string[] = []): Promise<Run> {
    return this.#collect(process.execPath, [file, ...args], {});
  }

  /**
   * Runs a command in a pseudo-terminal and types: each answer once its question has been asked.
   * `script` (util-linux, on every Debian) makes the terminal; what goes to stdout is kept apart.
   */
  async type(args: readonly string[], answers: readonly (readonly [question: RegExp, answer: string])[]): Promise<Run> {
    const out = path.join(this.directory, `stdout-${this.#typed++}`);
    const command = [process.execPath, this.bin, ...args].map((word) => `'${word.replace(/'/g, `'\\''`)}'`).join(" ");
    const child = spawn("script", ["-qfec", `${command} > '${out}'`, "/dev/null"], {
      cwd: this.directory,
      env: { ...process.env, ...clean, ...this.env, TERM: "xterm", SHELL: "/bin/sh" },
    });
    this.#children.add(child);
    let screen = "";
    let seen = 0;
    const waiting = [...answers];
    child.stdout.on("data", (chunk: Buffer) => {
      screen += chunk.toString("utf8");
      const [next] = waiting;
      const match = next && screen.slice(seen).match(next[0]);
      if (!next || match?.index === undefined) return;
      seen += match.index + match[0].length;
      waiting.shift();
      child.stdin.write(`${next[1]}\r`);
    });
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    this.#children.delete(child);
    return { code, stdout: readFileSync(out, "utf8"), stderr: screen.replace(/\r\n/g, "\n") };
  }

  /** Starts a command that serves; resolves once it has printed its address. */
  async serve(args: readonly string[]): Promise<{ url: string; end: () => Promise<number | null> }> {
    const child = spawn(process.execPath, [this.bin, ...args], {
      cwd: this.directory,
      env: { ...process.env, ...clean, ...this.env },
    });
    this.#children.add(child);
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    const line = await new Promise<string>((resolve, reject) => {
      child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString("utf8")));
      child.once("close", () => reject(new Error("ended before it served")));
    });
    const end = () => {
      child.kill("SIGINT");
      return ended;
    };
    return { url: (JSON.parse(line) as { url: string }).url, end };
  }

  #typed = 0;

  #collect(command: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<Run> {
    return new Promise((resolve, reject) => {
      const child = spawn(command, args, {
        cwd: this.directory,
        env: { ...process.env, ...clean, ...this.env, ...env },
        stdio: ["pipe", "pipe", "pipe"],
      });
      this.#children.add(child);
      child.stdin.end("yes\n".repeat(10));
      child.stdin.on("error", () => {});
      let stdout = "";
      let stderr = "";
      child.stdout.on("data", (chunk: Buffer) => {
        stdout += chunk.toString("utf8");
      });
      child.stderr.on("data", (chunk: Buffer) => {
        stderr += chunk.toString("utf8");
      });
      child.once("error", reject);
      child.once("close", (code) => {
        this.#children.delete(child);
        resolve({ code, stdout, stderr });
      });
    });
  }

  /** Plans a refund to these people; resolves to the plan. */
  async plan(...people: readonly string[]): Promise<{ id: string; state: string; phrase: string }> {
    const { stdout, stderr, code } = await this.script("plan.mjs", people);
    if (code !== 0) throw new Error(stderr);
    return JSON.parse(stdout.slice(stdout.indexOf('{"id"'))) as { id: string; state: string; phrase: string };
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill();
    await new Promise<void>((resolve) => (this.#server ? this.#server.close(() => resolve()) : resolve()));
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** What the machine's own environment must not decide. */
const clean = Object.fromEntries(
  ["CI", "NO_COLOR", "FORCE_COLOR", "VITEST", "NODE_ENV", "MAILFUSE_BY", "MAILFUSE_KEY"].map((name) => [
    name,
    undefined,
  ]),
);

/** Whether this machine has the program that makes a pseudo-terminal. */
export const hasTerminal = spawnSync("script", ["--version"]).status === 0;
