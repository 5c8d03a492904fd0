/**
 * A console in a real browser: a server on localhost, a mail server that says what it received, and
 * people with cookies and authenticators of their own.
 */
import { existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import axe from "axe-core";
import { createTransport } from "nodemailer";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { SMTPServer } from "smtp-server";
import { nodemailerAdapter } from "../../adapters/nodemailer";
import { createConsole, toNodeHandler } from "../../src/console";
import { createFuse, type FuseConfig, memoryStore, type PasskeyConfig } from "../../src/index";

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
/** Debian's browser, or the one that CHROMIUM names. */
export const browserPath = [process.env.CHROMIUM ?? "", ...places].find((place) => place !== "" && existsSync(place));

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

function makeMailer(port: number) {
  return createTransport({ host: "127.0.0.1", port, ignoreTLS: true });
}

/** A mail of a plan. */
export interface TestMail {
  readonly to: string;
  readonly subject?: string;
  readonly text?: string;
  readonly html?: string;
}

/** The server, its fuse, and the browser. */
export class BrowserWorld {
  readonly received: string[] = [];
  /** Held back until it is called: a release stands still under way. */
  gate: Promise<void> = Promise.resolve();
  #handler: ReturnType<typeof toNodeHandler> = async (_request, response) => void response.end();
  #server!: Server;
  #smtp!: SMTPServer;
  #smtpPort = 0;
  #browser!: Browser;
  origin = "";
  fuse!: ReturnType<typeof createFuse>;
  mailer!: ReturnType<typeof makeMailer>;

  async start(): Promise<this> {
    this.#smtp = new SMTPServer({
      disabledCommands: ["AUTH", "STARTTLS"],
      onData: (stream, session, done) => {
        stream.resume();
        stream.on("end", async () => {
          await this.gate;
          this.received.push(...session.envelope.rcptTo.map(({ address }) => address));
          done();
        });
      },
    });
    this.#smtpPort = await new Promise((resolve) =>
      this.#smtp.listen(0, "127.0.0.1", () => resolve((this.#smtp.server.address() as AddressInfo).port)),
    );
    this.#server = createServer((request, response) => void this.#handler(request, response));
    await new Promise<void>((resolve) => this.#server.listen(0, "localhost", resolve));
    this.origin = `http://localhost:${(this.#server.address() as AddressInfo).port}`;
    this.#browser = await chromium.launch({ executablePath: browserPath as string, args: ["--no-sandbox"] });
    this.make();
    return this;
  }

  /** A fuse and its console, in place of the ones before. */
  make(passkeys: Readonly<Record<string, readonly PasskeyConfig[]>> = {}, config: Partial<FuseConfig> = {}): void {
    const key = (name: string) => ({
      publicKey: Buffer.alloc(32, name).toString("base64url"),
      passkeys: passkeys[name] ?? [],
    });
    this.fuse = createFuse({
      environment: "production",
      environments: { production: { mode: "live" } },
      purposes: {
        refund: { kind: "bulk", caps: [{ people: 500, per: "24h" }], confirm: { approvals: 2 } },
        "password-reset": { kind: "stream", match: { subject: /^Reset/ }, caps: [{ people: 50, per: "1h" }] },
      },
      defaults: { caps: [{ people: 100, per: "1h" }] },
      approvers: { erin: key("erin"), frank: key("frank"), dana: key("dana") },
      store: memoryStore(),
      secret: "a secret of the browser's tests",
      logger: quiet,
      ...config,
    });
    this.mailer?.close();
    this.mailer = makeMailer(this.#smtpPort);
    this.fuse.attach(this.mailer, nodemailerAdapter());
    const console = createConsole({
      fuse: this.fuse,
      origin: this.origin,
      authorize: (request) => {
        const user = /(?:^|; )user=(\w+)/.exec(request.headers.get("cookie") ?? "")?.[1];
        return user === undefined ? null : { id: user, roles: user === "vera" ? [] : ["crm"] };
      },
    });
    this.#handler = toNodeHandler(console);
  }

  plan(mails: readonly TestMail[]) {
    return this.fuse.plan(
      { purpose: "refund", expectedPeople: mails.length, requestedBy: "dana" },
      {
        audience: mails,
        send: (mail) =>
          this.mailer.sendMail({
            from: "Acme <shop@acme.test>",
            subject: "Your refund",
            text: `Dear ${mail.to}, your refund is on its way.`,
            ...mail,
          }),
      },
    );
  }

  /** A person's own browser window. */
  async person(
    user: string | undefined,
    options: Parameters<Browser["newContext"]>[0] = {},
  ): Promise<{ context: BrowserContext; page: Page }> {
    const context = await this.#browser.newContext({ baseURL: this.origin, ...options });
    if (user !== undefined) await context.addCookies([{ name: "user", value: user, url: this.origin }]);
    return { context, page: await context.newPage() };
  }

  /** A person with an authenticator that is there and knows its owner; registers it and resolves to its line. */
  async withPasskey(user: string): Promise<{ context: BrowserContext; page: Page; passkey: PasskeyConfig }> {
    const { context, page } = await this.person(user);
    const session = await context.newCDPSession(page);
    await session.send("WebAuthn.enable");
    await session.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    await page.goto("/passkey");
    await page.getByRole("button", { name: "Make a passkey" }).click();
    const line = await page.locator("pre").textContent();
    const passkey = JSON.parse(/\[(\{.*\})\]/.exec(line ?? "")?.[1] ?? "null") as PasskeyConfig;
    return { context, page, passkey };
  }

  /** A page of another origin, served as it is given. */
  async elsewhere(html: string): Promise<{ url: string; close: () => void }> {
    const server = createServer((_request, response) => {
      response.setHeader("content-type", "text/html");
      response.end(html);
    });
    await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
    return { url: `http://localhost:${(server.address() as AddressInfo).port}/`, close: () => server.close() };
  }

  async close(): Promise<void> {
    await this.#browser?.close();
    this.mailer?.close();
    this.#server?.closeAllConnections();
    this.#server?.close();
    await new Promise<void>((resolve) => this.#smtp.close(() => resolve()));
  }
}

/** What axe finds wrong with a page. */
export async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const found = await page.evaluate(async () => {
    const { axe: checker } = globalThis as unknown as {
      axe: { run: () => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    return (await checker.run()).violations.map(
      ({ id, nodes }) =>
        `${id}: ${nodes
          .map((node) => node.html)
          .join(" | ")
          .slice(0, 300)}`,
    );
  });
  return found;
}
