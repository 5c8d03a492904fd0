import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { build } from "esbuild";
import { SMTPServer } from "smtp-server";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isMailHost } from "../src/lock/hosts";
import { parseAllowed, reasonToRefuse } from "../src/lock/policy";
import type { Ports } from "./lock/child";
import { type Endpoint, startEndpoint } from "./support/endpoint";

interface Come {
  readonly result?: string;
  readonly code?: string;
  readonly message?: string;
  /** The code of what the client itself threw, which may wrap the other. */
  readonly first?: string;
}

const root = path.resolve(import.meta.dirname, "..");
const folder = mkdtempSync(path.join(tmpdir(), "mailfuse-lock-"));
// Built, as users have it: workers load no TypeScript, and the attempts' own copy of src/delivery
// has to find the lock's.
const lockFile = path.join(folder, "lock.mjs");

/** A process that makes attempts on demand. */
class Child {
  readonly #process: ChildProcess;

  constructor(options: { readonly locked: boolean; readonly env?: Record<string, string> }) {
    const lock = options.locked ? ["--import", lockFile] : [];
    this.#process = fork(path.join(root, "test/lock/child.ts"), [], {
      cwd: root,
      execArgv: ["--import", "tsx", ...lock],
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
  }

  next(): Promise<Come> {
    return new Promise((done, fail) => {
      const ended = (code: number | null) =>
        fail(new Error(`Expected an answer, got the end of the process (${code}).`));
      this.#process.once("exit", ended);
      this.#process.once("message", (message) => {
        this.#process.off("exit", ended);
        done(message as Come);
      });
    });
  }

  async try(name: string): Promise<Come> {
    const answer = this.next();
    this.#process.send({ name, ports });
    return answer;
  }

  end(): void {
    this.#process.kill();
  }
}

let ports: Ports;
let endpoint: Endpoint;
/** Mails that an SMTP server took. */
let taken = 0;
const servers: { close(done?: () => void): unknown }[] = [];

beforeAll(async () => {
  await build({
    entryPoints: [path.join(root, "src/lock.ts")],
    bundle: true,
    platform: "node",
    format: "esm",
    outfile: lockFile,
    logLevel: "error",
  });
  endpoint = await startEndpoint(() => ({ body: { id: "m", ErrorCode: 0, MessageID: "m" } }));
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onData(stream, _session, done) {
      stream.resume();
      stream.on("end", () => {
        taken += 1;
        done();
      });
    },
  });
  await new Promise<void>((done) => smtp.listen(2525, "127.0.0.1", done));
  const second = http2.createServer((_request, response) => response.end());
  await new Promise<void>((done) => second.listen(0, "127.0.0.1", done));
  servers.push(smtp, second, endpoint);
  ports = { smtp: 2525, http: endpoint.port, http2: (second.address() as AddressInfo).port };
});
beforeEach(() => {
  taken = 0;
  endpoint.arrived.length = 0;
});
afterAll(() => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("under --import mailfuse/lock", () => {
  let child: Child;
  beforeAll(async () => {
    child = new Child({ locked: true });
    await child.next();
  });
  afterAll(() => child.end());

  it.each([
    "net.connect",
    "net.connect with options",
    "new Socket",
    "tls.connect",
    "nodemailer",
    "nodemailer, pooled",
    "a provider's relay on another port",
    "an SMTP greeting on another port",
    "a tunnel opened by hand",
    "TLS to a provider inside a tunnel",
    "a worker",
    "http.request",
    "http.get by URL",
    "https.request",
    "http without an agent",
    "a Host header",
    "a Host header in a list",
    "a Host header set later",
    "an HTTP proxy",
    "CONNECT to a provider",
    "CONNECT to a submission port",
    "fetch",
    "fetch of a Request",
    "fetch in full width",
    "a path of a shared host",
    "http2.connect",
    "an HTTP/2 authority",
    "an HTTP/2 Host header",
    "HTTP/2 headers in a list",
    "the postmark package",
    "inside: the application's own code",
  ])("refuses %s", async (name) => {
    const come = await child.try(name);
    // Some clients put a code of their own on it, or keep nothing but the text.
    expect(`${come.code} ${come.message}`).toContain("UNGUARDED_SEND");
    expect(endpoint.arrived).toEqual([]);
    expect(taken).toBe(0);
  });

  it("rejects a fetch with its own error, not with a failure of the network", async () => {
    expect(await child.try("fetch")).toMatchObject({ first: "UNGUARDED_SEND" });
  });

  it("says it on stderr too, for clients that resolve errors", async () => {
    expect(await child.try("the resend package")).toMatchObject({ code: "RESOLVED_AN_ERROR" });
    expect(endpoint.arrived).toEqual([]);
    const { result } = await child.try("warnings");
    expect(result).toMatch(/UNGUARDED_SEND: UNGUARDED_SEND at .*child\.ts/);
  });

  it("names the place in the application, and nothing of the mail", async () => {
    const { message } = await child.try("http.request");
    expect(message).toMatch(/UNGUARDED_SEND at .*test[\\/]lock[\\/]child\.ts:\d+:\d+/);
    expect(message).toContain("api.resend.com");
    expect(message).not.toMatch(/acme|sender/);
  });

  it.each([
    ["another host", "status 200"],
    ["another host by fetch", "status 200"],
    ["another path of a shared host", "status 200"],
    ["another port", "connected"],
    ["another HTTP/2 server", "status 200"],
  ])("lets be %s", async (name, result) => {
    expect(await child.try(name)).toEqual({ result });
  });

  it.each([
    ["inside: http.request", "status 200"],
    ["inside: fetch", "status 200"],
    ["inside: a Host header", "status 200"],
    ["inside: http2", "status 200"],
    ["inside: a body piped in from outside", "status 200"],
  ])("lets pass %s", async (name, result) => {
    expect(await child.try(name)).toEqual({ result });
  });

  it("lets SMTP of deliveries pass, and a pool use its connections again and again", async () => {
    expect(await child.try("inside: nodemailer")).toEqual({ result: "sent" });
    expect(await child.try("inside: after a timer")).toEqual({ result: "sent" });
    expect(await child.try("inside: a pool")).toEqual({ result: "sent" });
    expect(await child.try("inside: a pool")).toEqual({ result: "sent" });
    expect(taken).toBe(22);
  });

  it("lets everything pass that goes through a fuse: sends, a pool's, reads, checks of the connection", async () => {
    expect(await child.try("a fuse")).toEqual({ result: "sent, read" });
    expect(taken).toBe(5);
    expect(endpoint.arrived.map(({ method, url }) => `${method} ${url}`)).toEqual(["POST /emails", "GET /domains"]);
  });

  it("lets every provider's attached client send", async () => {
    expect(await child.try("every provider's client")).toEqual({ result: "sent" });
    expect(endpoint.arrived.map(({ url }) => url)).toEqual([
      "/v3/mail/send",
      "/v3/acme.test/messages",
      "/v2/email/outbound-emails",
      "/email",
      "/email",
    ]);
  });

  it.each(["a connection that a delivery left open", "a fetch connection that a delivery left open"])(
    "refuses to anything else %s",
    async (name) => {
      expect(await child.try(name)).toMatchObject({ code: "UNGUARDED_SEND" });
      expect(endpoint.arrived).toHaveLength(1);
    },
  );
});

describe("what was there before lock()", () => {
  let child: Child;
  beforeAll(async () => {
    child = new Child({ locked: false });
    await child.next();
  });
  afterAll(() => child.end());

  it("may be anything, without the lock", async () => {
    expect(await child.try("nodemailer")).toEqual({ result: "sent" });
    expect(await child.try("fetch")).toEqual({ result: "status 200" });
    expect(taken).toBe(1);
  });

  it.each([
    "early: http.request",
    "early: net.connect",
    "early: fetch",
    "early: an SMTP connection",
    "early: a kept connection",
    "early: an HTTP/2 session",
  ])("is refused with it: %s", async (name) => {
    if (name === "early: http.request") expect(await child.try("prepare")).toEqual({ result: "ready" });
    endpoint.arrived.length = 0;
    expect(await child.try(name)).toMatchObject({ code: "UNGUARDED_SEND" });
    expect(endpoint.arrived).toEqual([]);
  });
});

describe("with MAILFUSE_LOCK_ALLOW", () => {
  it("lets through what it names, and nothing else", async () => {
    const child = new Child({ locked: true, env: { MAILFUSE_LOCK_ALLOW: "relay.test:2525, api.postmarkapp.com" } });
    await child.next();
    try {
      expect(await child.try("nodemailer")).toEqual({ result: "sent" });
      expect(await child.try("the postmark package")).toEqual({ result: "sent" });
      expect(await child.try("net.connect")).toMatchObject({ code: "UNGUARDED_SEND" });
      expect(await child.try("fetch")).toMatchObject({ code: "UNGUARDED_SEND" });
    } finally {
      child.end();
    }
  });

  it("refuses to start with an entry that names no host", async () => {
    const child = new Child({ locked: true, env: { MAILFUSE_LOCK_ALLOW: "*" } });
    await expect(child.next()).rejects.toThrow(/end of the process/);
  });
});

describe("the policy", () => {
  it.each([
    ["relay.example", { host: "relay.example" }],
    ["Relay.Example.:587", { host: "relay.example", port: 587 }],
    ["*.internal.example", { host: "*.internal.example" }],
    ["127.0.0.1:25", { host: "127.0.0.1", port: 25 }],
    ["[::1]:25", { host: "::1", port: 25 }],
    ["::1", { host: "::1" }],
    ["loopback", { host: "loopback" }],
  ])("reads %s", (entry, allowed) => {
    expect(parseAllowed(entry)).toEqual(allowed);
  });

  it.each(["", "*", "*:25", "*.", "a b", "host:0", "host:70000", "http://relay.example", "user@relay.example", "a*b"])(
    "takes no entry like %j",
    (entry) => {
      expect(() => parseAllowed(entry)).toThrow(/CONFIG_INVALID/);
    },
  );

  it("matches a host and its port, and loopback by name and address", () => {
    const to = (host: string, port: number, ...allow: string[]) =>
      reasonToRefuse({ host, port }, allow.map(parseAllowed));
    expect(to("relay.example", 587)).toMatch(/587/);
    expect(to("relay.example", 587, "relay.example:587")).toBeUndefined();
    expect(to("relay.example", 25, "relay.example:587")).toMatch(/25/);
    expect(to("evil-relay.example", 587, "relay.example")).toBeDefined();
    expect(to("a.internal.example", 25, "*.internal.example")).toBeUndefined();
    expect(to("internal.example", 25, "*.internal.example")).toBeDefined();
    for (const host of ["localhost", "127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "[::1]"]) {
      expect(to(host, 25, "loopback")).toBeUndefined();
      expect(to(host, 25)).toBeDefined();
    }
    expect(to("10.0.0.1", 25, "loopback")).toBeDefined();
    expect(to("notlocalhost", 25, "loopback")).toBeDefined();
  });

  it("knows providers by region and by subdomain, and no lookalikes", () => {
    for (const host of [
      "email.eu-west-1.amazonaws.com",
      "email-smtp.us-east-1.amazonaws.com",
      "us1.api.mailchimp.com",
    ]) {
      expect(isMailHost(host)).toBe(true);
    }
    for (const host of [
      "s3.eu-west-1.amazonaws.com",
      "api.resend.com.evil.test",
      "xapi.resend.com",
      "email.a.b.amazonaws.com",
    ]) {
      expect(isMailHost(host)).toBe(false);
    }
  });
});
