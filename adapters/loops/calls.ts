/**
 * From the arguments of `_makeQuery` to a copy, and from the copy back to the SDK.
 *
 * @module
 */
import {
  asRecord,
  below,
  type Call,
  codecCall,
  copyJson,
  decodeWire,
  type Gate,
  isNoConnection,
  type Plain,
  readTarget,
  type SnapshotLimits,
  type TemplateText,
  type Transport,
  type WireRequest,
  type WireResponse,
  watchFetch,
} from "../../src/adapter";
import { loopsCodec } from "./codec";
import { messageOf, readMessage, templateIn } from "./templates";

/** What the adapter uses of a client. */
export interface LoopsInternals {
  readonly apiKey: unknown;
  readonly apiRoot: unknown;
  _makeQuery(query: unknown): Promise<unknown>;
}

/** A request, each part read once. */
export interface Copied {
  readonly wire: WireRequest;
  /** The argument of `_makeQuery`, made from the copy; the body of the request goes into it. */
  query(request: WireRequest): object;
  /** The client as it was when the request was judged. */
  readonly pinned: object;
}

/** Copies the argument of `_makeQuery`, and what of the client decides where it goes. */
export function copyQuery(client: LoopsInternals, given: unknown, limits: SnapshotLimits): Copied {
  const query = { ...(given as Record<string, unknown> | undefined) };
  const apiRoot = String(client.apiRoot);
  const path = String(query.path);
  const method = query.method === undefined ? "GET" : String(query.method).toUpperCase();
  const params = Object.entries(asRecord(copyJson(query.params ?? {}, limits)) ?? {}).map(
    ([name, value]) => [name, String(value)] as const,
  );
  const headers = Object.entries(asRecord(copyJson(query.headers ?? {}, limits)) ?? {})
    .filter(([, value]) => value !== "" && value !== undefined && value !== null)
    .map(([name, value]) => [name.toLowerCase(), String(value)] as const);
  const payload = query.payload ? copyJson(query.payload, limits) : undefined;
  const url = URL.canParse(path, apiRoot) ? below(apiRoot, new URL(path, apiRoot).href) : undefined;
  const target = url ? readTarget(url) : { path: "", query: [] };
  const secret = headers.filter(([name]) => name === "authorization");
  return {
    wire: {
      method,
      path: target.path,
      query: [...target.query, ...params],
      headers: headers.filter(([name]) => name !== "authorization"),
      body: payload === undefined ? { kind: "none" } : { kind: "json", value: payload },
    },
    query: (request) => ({
      path,
      method,
      headers: Object.fromEntries([...secret, ...request.headers]),
      params: Object.fromEntries(params),
      ...(request.body.kind === "json" ? { payload: request.body.value } : {}),
    }),
    pinned: Object.create(client, { apiRoot: { value: apiRoot }, apiKey: { value: client.apiKey } }) as object,
  };
}

/** Makes and passes the calls of one client. */
export class LoopsCalls {
  constructor(
    private readonly client: LoopsInternals,
    private readonly original: (this: object, ...args: unknown[]) => unknown,
    private readonly gate: Gate,
    private readonly resolveTemplates: boolean,
  ) {}

  /** Stands in for `_makeQuery`. Async, so that a request that cannot be copied rejects. */
  async request(given: readonly unknown[]): Promise<unknown> {
    const copied = copyQuery(this.client, given[0], this.gate.limits);
    const templates = this.resolveTemplates ? await this.#templates(copied.wire) : undefined;
    const wire = templates ? { ...copied.wire, templates } : copied.wire;
    return this.gate.pass(codecCall(loopsCodec, wire, this.#transport(copied)));
  }

  revive(spooled: Uint8Array): Call {
    const wire = decodeWire(spooled);
    const query = {
      // Below the base, as the SDK's own paths are.
      path: wire.path.split("/").slice(1).map(encodeURIComponent).join("/"),
      method: wire.method,
      params: Object.fromEntries(wire.query),
      headers: Object.fromEntries(wire.headers),
    };
    return codecCall(loopsCodec, wire, this.#transport(copyQuery(this.client, query, this.gate.limits)));
  }

  #transport({ query, pinned }: Copied): Transport<unknown> {
    let unconnected = (): boolean => false;
    return {
      send: (request) => {
        const { result, neverConnected } = watchFetch(() => this.original.call(pinned, query(request)));
        unconnected = neverConnected;
        return result as Promise<unknown>;
      },
      answer: ({ body }) => body,
      response: responseOf,
      neverConnected: (error) => unconnected() || isNoConnection(error),
    };
  }

  /** The text of the template a mail names, and whom it copies; what cannot be read stays unbound. */
  async #templates(wire: WireRequest): Promise<Readonly<Record<string, TemplateText>> | undefined> {
    const id = loopsCodec.classify(wire).kind === "send" ? templateIn(wire) : undefined;
    if (id === undefined) return undefined;
    try {
      const message = messageOf(await this.#read(`v1/transactional-emails/${id}`));
      const text = message && readMessage(await this.#read(`v1/email-messages/${message}`));
      return text ? { [id]: text } : undefined;
    } catch {
      return undefined;
    }
  }

  async #read(path: string): Promise<Plain> {
    const copied = copyQuery(this.client, { path }, this.gate.limits);
    return (await this.gate.pass(codecCall(loopsCodec, copied.wire, this.#transport(copied)))) as Plain;
  }
}

function responseOf(settled: { readonly result: unknown } | { readonly error: unknown }): WireResponse | undefined {
  if ("result" in settled) return { status: 200, headers: {}, body: settled.result as Plain };
  const { name, statusCode, json } = (settled.error ?? {}) as { name?: unknown; statusCode?: unknown; json?: unknown };
  // This one keeps the status to itself.
  if (name === "RateLimitExceededError") return { status: 429, headers: {}, body: undefined };
  return typeof statusCode === "number" ? { status: statusCode, headers: {}, body: json as Plain } : undefined;
}
