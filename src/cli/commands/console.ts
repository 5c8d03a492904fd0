/**
 * `mailfuse console`: the web console on this machine, for one person, behind an address that counts once.
 *
 * @module
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Command } from "commander";
import { createConsole, toNodeHandler } from "../../console";
import type { Act, Context } from "../context";
import { exit, UsageError } from "../exit";
import { wholeNumber } from "./ledger";

const cookie = "mailfuse_console";

const examples = `
Listens on loopback only. The address it prints logs in whoever opens it first, once; Ctrl-C ends it.

Example:
  $ npx mailfuse console --by erin
`;

export function addConsole(program: Command, act: Act): void {
  program
    .command("console")
    .description("the web console on this machine, for one person")
    .option("--by <name>", "your name in the configuration")
    .option("-p, --port <n>", "the port @default a free one")
    .addHelpText("after", examples)
    .action(
      act(async (context: Context, options: { by?: string; port?: string }) => {
        const by = context.by(options.by);
        const { fuse, incident } = await context.load();
        const port = options.port === undefined ? 0 : wholeNumber(options.port, "--port");
        const session = randomBytes(32).toString("base64url");
        let once: string | undefined = randomBytes(32).toString("base64url");
        const server = createServer();
        await new Promise<void>((resolve, reject) => {
          server.once("error", (error: NodeJS.ErrnoException) =>
            reject(
              new UsageError(`Expected a port that is free, got ${error.code ?? "an error"}.`, "Leave --port out."),
            ),
          );
          server.listen(port, "127.0.0.1", resolve);
        });
        const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
        const handle = toNodeHandler(
          createConsole({
            fuse,
            origin,
            ...(incident ? { incident } : {}),
            authorize: (request) => (same(cookieOf(request), session) ? { id: by, roles: ["local"] } : null),
          }),
        );
        server.on("request", (request, response) => {
          const { host } = request.headers;
          const given = new URL(request.url ?? "/", origin).searchParams.get("once");
          // Another host would be a page elsewhere whose name was made to lead here.
          if (once === undefined || given === null || `http://${host}` !== origin || !same(given, once)) {
            void handle(request, response);
            return;
          }
          once = undefined;
          response.writeHead(303, {
            location: "/",
            "set-cookie": `${cookie}=${session}; HttpOnly; SameSite=Strict; Path=/`,
            "cache-control": "no-store",
            "referrer-policy": "no-referrer",
          });
          response.end();
        });
        context.out.line(`For ${by}, once, until Ctrl-C:`);
        context.out.result(`${origin}/?once=${once}`, { url: `${origin}/?once=${once}`, by });
        await new Promise((resolve) => {
          process.once("SIGINT", resolve);
          process.once("SIGTERM", resolve);
        });
        server.close();
        server.closeAllConnections();
        return exit.ok;
      }),
    );
}

function cookieOf(request: Request): string {
  const all = (request.headers.get("cookie") ?? "").split(/;\s*/);
  return all.find((one) => one.startsWith(`${cookie}=`))?.slice(cookie.length + 1) ?? "";
}

function same(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
