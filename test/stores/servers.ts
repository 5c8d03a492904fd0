/**
 * Private Redis and PostgreSQL servers for tests: started from binaries on the machine, on free loopback
 * ports, with their own directories, never the system's own. `MAILFUSE_TEST_REDIS_URL` and
 * `MAILFUSE_TEST_POSTGRES_URL` name servers to use instead.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** A running server of ours, or one that was named by a URL. */
export interface TestServer {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** `false` for a server named by a URL: it cannot be stopped or killed. */
  readonly own: boolean;
  /** Sends a signal to the server and to the processes it has made, as PostgreSQL makes one per connection. */
  signal(signal: NodeJS.Signals): void;
  /** Kills it without warning and waits until it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port and directory, and waits until it answers. */
  start(): Promise<void>;
  /** Stops it and removes its directory. */
  stop(): Promise<void>;
}

/** Called with a server of ours that is about to be stopped and removed: the search for leaks reads what it holds. */
export const beforeStop: ((server: TestServer) => Promise<void>)[] = [];

/** How a kind of server is found and run. */
interface Program {
  readonly command: string;
  readonly args: (port: number, directory: string) => readonly string[];
  readonly prepare?: (directory: string) => void;
  readonly user?: { readonly uid: number; readonly gid: number };
  readonly url: (port: number) => string;
  readonly answers: (port: number) => Promise<boolean>;
}

/** Where Redis or Valkey tests can run, or why they cannot. */
export const redisServers = {
  skipped:
    process.env.MAILFUSE_TEST_REDIS_URL || redisBinary()
      ? undefined
      : "no redis-server or valkey-server on this machine, no MAILFUSE_TEST_REDIS_URL",
  start: (): Promise<TestServer> => {
    const url = process.env.MAILFUSE_TEST_REDIS_URL;
    return url ? Promise.resolve(named(url, 6379)) : launch(redisProgram([]));
  },
  /** Whether a server of our own can be started, for tests that stop it or set it. */
  own: redisBinary() !== undefined,
  /** Extra arguments are Redis' own, for example `"--maxmemory-policy", "allkeys-lru"`. */
  launch: (...extra: string[]): Promise<TestServer> => launch(redisProgram(extra)),
};

/** Where PostgreSQL tests can run, or why they cannot. */
export const postgresServers = {
  skipped:
    process.env.MAILFUSE_TEST_POSTGRES_URL || postgresBinaries()
      ? undefined
      : "no PostgreSQL binaries on this machine, no MAILFUSE_TEST_POSTGRES_URL",
  /** Does not wait for the disk: most tests make and drop many tables. */
  start: (): Promise<TestServer> => {
    const url = process.env.MAILFUSE_TEST_POSTGRES_URL;
    return url ? Promise.resolve(named(url, 5432)) : launch(postgresProgram(["-c", "fsync=off"]));
  },
  own: postgresBinaries() !== undefined,
  launch: (...extra: string[]): Promise<TestServer> => launch(postgresProgram(extra)),
};

function redisBinary(): string | undefined {
  return onPath("redis-server") ?? onPath("valkey-server");
}

function postgresBinaries(): string | undefined {
  const versions = existsSync("/usr/lib/postgresql") ? readdirSync("/usr/lib/postgresql") : [];
  const newestFirst = versions.sort((a, b) => Number(b) - Number(a)).map((v) => join("/usr/lib/postgresql", v, "bin"));
  const places = [...newestFirst, ...(process.env.PATH ?? "").split(delimiter), "/usr/local/pgsql/bin"];
  return places.find((place) => existsSync(join(place, "initdb")) && existsSync(join(place, "postgres")));
}

function onPath(command: string): string | undefined {
  const places = (process.env.PATH ?? "").split(delimiter);
  return places.map((place) => join(place, command)).find((file) => existsSync(file));
}

function redisProgram(extra: readonly string[]): Program {
  const command = redisBinary();
  if (!command) throw new Error("Expected redis-server or valkey-server on the PATH.");
  const persistence = extra.includes("--appendonly") ? [] : ["--appendonly", "no"];
  return {
    command,
    args: (port, directory) => [
      ...["--port", String(port), "--bind", "127.0.0.1", "--dir", directory, "--save", "", "--daemonize", "no"],
      ...persistence,
      ...extra,
    ],
    url: (port) => `redis://127.0.0.1:${port}`,
    answers: (port) => speaks(port, "PING\r\n", /^(\+PONG|-NOAUTH|-MASTERDOWN)/),
  };
}

function postgresProgram(extra: readonly string[]): Program {
  const bin = postgresBinaries();
  if (!bin) throw new Error("Expected initdb and postgres on this machine.");
  const user = unprivileged();
  return {
    command: join(bin, "postgres"),
    args: (port, directory) => [
      ...["-D", join(directory, "data"), "-p", String(port), "-h", "127.0.0.1", "-k", directory],
      ...["-c", "max_connections=200", "-c", "shared_buffers=64MB", ...extra],
    ],
    prepare(directory) {
      if (user) chownSync(directory, user.uid, user.gid);
      const args = ["-D", join(directory, "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"];
      execFileSync(join(bin, "initdb"), args, {
        ...user,
        cwd: directory,
        stdio: "ignore",
        env: { PATH: bin, LC_ALL: "C" },
      });
    },
    ...(user ? { user } : {}),
    url: (port) => `postgres://postgres@127.0.0.1:${port}/postgres`,
    // While it starts up or recovers, the server answers with an error instead of the authentication request.
    answers: (port) => speaks(port, startupPacket("postgres"), /^R/),
  };
}

function childrenOf(pid: number): number[] {
  try {
    const pids = execFileSync("pgrep", ["-P", String(pid)], { encoding: "utf8" });
    return pids.split("\n").filter(Boolean).map(Number);
  } catch {
    // pgrep fails when there are none.
    return [];
  }
}

/** PostgreSQL refuses to run as root. */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ["postgres", "nobody"]) {
    try {
      const id = (flag: string): number =>
        Number(execFileSync("id", [flag, name], { stdio: ["ignore", "pipe", "ignore"] }));
      return { uid: id("-u"), gid: id("-g") };
    } catch {
      // Not on this machine: the next one.
    }
  }
  throw new Error('Expected a user "postgres" or "nobody" to run PostgreSQL as.');
}

function named(url: string, defaultPort: number): TestServer {
  const parsed = new URL(url);
  const cannot = (): never => {
    throw new Error("Expected a server of our own, got one named by a URL.");
  };
  return {
    url,
    host: parsed.hostname,
    port: Number(parsed.port || defaultPort),
    own: false,
    signal: cannot,
    kill: cannot,
    start: cannot,
    stop: async () => {},
  };
}

async function launch(program: Program): Promise<TestServer> {
  const directory = mkdtempSync(join(tmpdir(), "mailfuse-server-"));
  mkdirSync(directory, { recursive: true });
  program.prepare?.(directory);
  const port = await freePort();
  let child: ChildProcess | undefined;
  const killNow = (): void => void child?.kill("SIGKILL");
  const gone = async (signal: NodeJS.Signals): Promise<void> => {
    const running = child;
    child = undefined;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const exited = new Promise((resolve) => running.once("exit", resolve));
    // A stopped process takes no other signal before it goes on.
    if (signal !== "SIGKILL") running.kill("SIGCONT");
    running.kill(signal);
    await exited;
  };
  const server: TestServer = {
    url: program.url(port),
    host: "127.0.0.1",
    port,
    own: true,
    signal(signal) {
      const { pid } = child ?? {};
      if (pid === undefined) return;
      // The server first, so that it makes no more of them.
      for (const one of [pid, ...childrenOf(pid)]) process.kill(one, signal);
    },
    kill: () => gone("SIGKILL"),
    async start() {
      child = spawn(program.command, program.args(port, directory), {
        ...program.user,
        cwd: directory,
        stdio: "ignore",
      });
      await ready(() => program.answers(port), child);
    },
    async stop() {
      if (child) for (const look of beforeStop) await look(server);
      await gone("SIGTERM");
      process.off("exit", killNow);
      rmSync(directory, { recursive: true, force: true });
    },
  };
  process.once("exit", killNow);
  await server.start();
  return server;
}

async function ready(answers: () => Promise<boolean>, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    if (await answers()) return;
    if (child.exitCode !== null || child.signalCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`Expected ${child.spawnfile} to answer on its port, got nothing.`);
}

function startupPacket(user: string): Buffer {
  const body = Buffer.from(`\0\x03\0\0user\0${user}\0\0`, "latin1");
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([length, body]);
}

/** A port that was free a moment ago. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

function speaks(port: number, hello: string | Buffer, expected: RegExp): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const answer = (yes: boolean): void => {
      socket.destroy();
      resolve(yes);
    };
    socket.setTimeout(2_000, () => answer(false));
    socket.once("error", () => answer(false));
    socket.once("connect", () => socket.write(hello));
    socket.once("data", (data) => answer(expected.test(data.toString("latin1"))));
    socket.once("end", () => answer(false));
  });
}
