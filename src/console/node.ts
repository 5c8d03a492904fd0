/**
 * The console inside a Node.js server: `node:http`, Express, Fastify, NestJS.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { Console } from "./index";

/** A request as servers hand it on: Express keeps the whole path, and body parsers keep what they read. */
type ServerRequest = IncomingMessage & { readonly originalUrl?: string; readonly body?: unknown };

/**
 * Makes a handler of a console. Works before and after body parsers, at the root and under the
 * console's `path`.
 *
 * @example
 * ```ts
 * http.createServer(toNodeHandler(console)).listen(3000, "127.0.0.1");
 * app.use("/mail", toNodeHandler(createConsole({ fuse, authorize, path: "/mail" }))); // Express
 * ```
 */
export function toNodeHandler(console: Console): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    let answer: Response;
    try {
      answer = await console.fetch(toRequest(request));
    } catch {
      // A URL or header that is none. What it said is not repeated.
      answer = new Response("Bad request", { status: 400, headers: { "content-type": "text/plain" } });
    }
    response.statusCode = answer.status;
    answer.headers.forEach((value, name) => {
      response.setHeader(name, value);
    });
    response.end(request.method === "HEAD" ? undefined : Buffer.from(await answer.arrayBuffer()));
  };
}

function toRequest(request: ServerRequest): Request {
  const encrypted = (request.socket as { encrypted?: boolean }).encrypted === true;
  const target = request.originalUrl ?? request.url ?? "/";
  // "//host/path" would be read as another host.
  const url = `${encrypted ? "https" : "http"}://${request.headers.host ?? "localhost"}/${target.replace(/^\/+/, "")}`;
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    for (const one of [value ?? []].flat()) headers.append(name, one);
  }
  const method = request.method ?? "GET";
  if (method === "GET" || method === "HEAD") return new Request(url, { method, headers });
  const body = parsedBody(request);
  if (body !== undefined) {
    headers.delete("content-length");
    return new Request(url, { method, headers, body });
  }
  const stream = Readable.toWeb(request) as unknown as ReadableStream;
  return new Request(url, { method, headers, body: stream, duplex: "half" } as RequestInit);
}

/** What a body parser has read already; texts only, as a form's fields are. */
function parsedBody(request: ServerRequest): string | undefined {
  const { body } = request;
  if (body === undefined || body === null) return undefined;
  if (typeof body === "string") return body;
  if (Buffer.isBuffer(body)) return body.toString("utf8");
  // Some parsers leave an empty object beside a body that they have not read.
  const fields = Object.entries(body).filter((field): field is [string, string] => typeof field[1] === "string");
  return fields.length === 0 && !request.readableEnded ? undefined : new URLSearchParams(fields).toString();
}
