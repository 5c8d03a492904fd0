/**
 * Calls of one provider's API made with `fetch`.
 *
 * @module
 */
import {
  assertCleanPrototypes,
  type Call,
  type Codec,
  codecCall,
  decodeWire,
  type Gate,
  isNoConnection,
  MailfuseError,
  type Plain,
  readJson,
  readTarget,
  type Transport,
  type WireRequest,
  type WireResponse,
} from "../../src/adapter";
import { decodeBody, encodeBody, type RawBody, readBody } from "./body";

/** What is called to send. */
export type Fetch = typeof globalThis.fetch;

/** A request as it was made, beside what a codec reads of it. */
interface Original {
  readonly url: URL;
  readonly wire: WireRequest;
  readonly body: RawBody | undefined;
  readonly settings: {
    readonly signal?: AbortSignal;
    readonly redirect?: Request["redirect"];
    readonly dispatcher?: unknown;
  };
}

/** One provider, as a client that a fuse can hold. */
export class Lane {
  gate: Gate | undefined;

  constructor(
    readonly codec: Codec,
    readonly base: () => Fetch,
  ) {}

  /** Passes one request of this provider through the fuse. */
  async pass(input: string | Request, init: RequestInit | undefined): Promise<Response> {
    const { gate } = this;
    if (!gate) throw new MailfuseError(letGo);
    assertCleanPrototypes();
    // The one copy: everything that fetch would read of the arguments is read here, once.
    const { dispatcher } = (init ?? {}) as { dispatcher?: unknown };
    const request = new Request(input, init);
    const body = await readBody(request, gate.limits);
    const url = new URL(request.url);
    const wire: WireRequest = {
      method: request.method.toUpperCase(),
      ...readTarget(url),
      headers: [...request.headers],
      body: await decodeBody(body, gate.limits),
    };
    const { signal, redirect } = request;
    const settings = { signal, redirect, ...(dispatcher === undefined ? {} : { dispatcher }) };
    return gate.pass(this.#call({ url, wire, body, settings }));
  }

  revive(spooled: Uint8Array): Call {
    const text = Buffer.from(spooled);
    const end = text.indexOf("\n");
    const origin = text.toString("utf8", 0, end);
    if (end < 0 || !URL.canParse(origin)) throw new MailfuseError(notOurs);
    const wire = decodeWire(text.subarray(end + 1));
    const type = wire.headers.find(([name]) => name === "content-type")?.[1] ?? "";
    const body = wire.body.kind === "none" ? undefined : { bytes: new Uint8Array(), type };
    return this.#call({ url: urlOf(origin, wire), wire, body, settings: {} }) as Call;
  }

  #call(original: Original): Call<Response> {
    const call = codecCall(this.codec, original.wire, this.#transport(original));
    // A path alone does not say which of a provider's hosts it belongs to.
    const spool = () => Buffer.concat([Buffer.from(`${original.url.origin}\n`), call.spool()]);
    return { ...call, spool };
  }

  #transport(original: Original): Transport<Response> {
    const read = new WeakMap<Response, WireResponse>();
    const { url, wire, body, settings } = original;
    return {
      send: async (request) => {
        const moved = request.path !== wire.path || request.query !== wire.query;
        const response = await this.base()(moved ? urlOf(url.origin, request) : url, {
          ...settings,
          method: request.method,
          ...written(request, wire, body),
          // Following would send the mail again, to wherever the answer says.
          ...(isRead(request.method) || settings.redirect === "error" ? {} : { redirect: "manual" }),
        } as RequestInit);
        if (!isRead(request.method)) read.set(response, await readResponse(response.clone()));
        return response;
      },
      answer: ({ status, headers, body: simulated }) =>
        new Response(typeof simulated === "string" ? simulated : JSON.stringify(simulated), {
          status,
          headers: { "content-type": "application/json", ...headers, "x-mailfuse-simulated": "true" },
        }),
      response: (settled) => ("result" in settled ? (read.get(settled.result) ?? statusOf(settled.result)) : undefined),
      neverConnected: isNoConnection,
    };
  }
}

function isRead(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

function urlOf(origin: string, { path, query }: WireRequest): URL {
  const url = new URL(path.split("/").map(encodeURIComponent).join("/"), origin);
  for (const [name, value] of query) url.searchParams.append(name, value);
  return url;
}

/** Headers and body for `fetch`. What a codec leaves out of the headers stays as it was. */
function written(request: WireRequest, wire: WireRequest, original: RawBody | undefined) {
  const headers = new Headers(wire.headers.map(([name, value]): [string, string] => [name, value]));
  for (const [name, value] of request.headers) headers.set(name, value);
  const body = encodeBody(request.body, original);
  if (body === undefined) return { headers };
  // A form brings its own boundary along.
  if (body instanceof FormData) headers.delete("content-type");
  else if (body.type !== "") headers.set("content-type", body.type);
  return { headers, body: body instanceof FormData ? body : body.bytes };
}

async function readResponse(response: Response): Promise<WireResponse> {
  // An answer that breaks off says no more than its status.
  const text = await response.text().catch(() => "");
  const body: Plain = readJson(text) ?? text;
  return { status: response.status, headers: Object.fromEntries(response.headers), body };
}

function statusOf(response: Response): WireResponse {
  return { status: response.status, headers: Object.fromEntries(response.headers), body: undefined };
}

const letGo = {
  code: "UNATTACHED_SEND",
  message: "Expected a fuse that is in force, got one that was closed or has let go of this fetch.",
  fix: "Make the fetch anew with guardedFetch.",
} as const;

const notOurs = {
  code: "PLAN_TAMPERED",
  message: "Expected a spooled request of guardedFetch, got bytes that do not read as one.",
} as const;
