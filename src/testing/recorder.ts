/**
 * A provider's API on the loopback interface: records each request as it came over the wire, and
 * answers as scripted.
 *
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One request as it came over the wire. */
export interface RecordedRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  /** Names and values in order, as sent. */
  readonly rawHeaders: readonly (readonly [string, string])[];
  readonly body: Buffer;
}

/**
 * An answer. `"reset"` reads the whole request and then drops the connection without a word: the
 * sender cannot know what became of it.
 */
export type Reply =
  | { readonly status?: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  | "reset";

/** A recording server. */
export interface Recorder {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly requests: RecordedRequest[];
  /** Answers for the next requests; after them, the fallback answers. */
  readonly replies: Reply[];
  close(): Promise<void>;
}

/**
 * Starts a recording server.
 *
 * @example
 * ```ts
 * const recorder = await startRecorder(() => ({ status: 202 }));
 * recorder.replies.push("reset");
 * ```
 */
export async function startRecorder(fallback: (request: RecordedRequest) => Reply): Promise<Recorder> {
  const requests: RecordedRequest[] = [];
  const replies: Reply[] = [];
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const request = record(incoming, Buffer.concat(chunks));
      requests.push(request);
      answer(response, replies.shift() ?? fallback(request));
    });
    // A client that goes away is part of what is tested.
    incoming.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    replies,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A URL on which nobody listens. */
export async function closedEndpoint(): Promise<string> {
  const recorder = await startRecorder(() => ({}));
  await recorder.close();
  return recorder.url;
}

/** A header of a recorded request, by its lower-case name. */
export function headerOf(request: RecordedRequest, name: string): string | undefined {
  return request.rawHeaders.find(([key]) => key.toLowerCase() === name)?.[1];
}

function record(incoming: IncomingMessage, body: Buffer): RecordedRequest {
  const rawHeaders: [string, string][] = [];
  for (let at = 0; at < incoming.rawHeaders.length; at += 2) {
    rawHeaders.push([incoming.rawHeaders[at] as string, incoming.rawHeaders[at + 1] as string]);
  }
  return { method: incoming.method ?? "", url: incoming.url ?? "", rawHeaders, body };
}

function answer(response: ServerResponse, reply: Reply): void {
  if (reply === "reset") {
    response.socket?.destroy();
    return;
  }
  response.writeHead(reply.status ?? 200, reply.headers);
  response.end(reply.body ?? "");
}

/** One field of a form, as it stood on the wire. */
export interface FormField {
  readonly name: string;
  readonly value: string;
  readonly filename?: string;
}

/** Reads a multipart or URL-encoded form; other bodies have no fields. */
export function readForm(request: RecordedRequest): FormField[] {
  const type = headerOf(request, "content-type") ?? "";
  if (type.startsWith("application/x-www-form-urlencoded")) {
    return [...new URLSearchParams(request.body.toString("utf8"))].map(([name, value]) => ({ name, value }));
  }
  const boundary = /boundary="?([^";]+)"?/.exec(type)?.[1];
  if (boundary === undefined) return [];
  const parts = request.body.toString("utf8").split(`--${boundary}`).slice(1, -1);
  return parts.map((part) => {
    const end = part.indexOf("\r\n\r\n");
    const head = part.slice(0, end);
    const filename = /; filename="([^"]*)"/.exec(head)?.[1];
    const name = /[ ;]name="([^"]*)"/.exec(head)?.[1] ?? "";
    return { name, value: part.slice(end + 4, -2), ...(filename === undefined ? {} : { filename }) };
  });
}
