/**
 * From the arguments of `httpRequest` to a copy, and from the copy back to the SDK.
 *
 * @module
 */
import {
  asRecord,
  type Call,
  codecCall,
  copyJson,
  decodeWire,
  type Gate,
  isNoConnection,
  type Plain,
  type PlainRecord,
  readTarget,
  type SnapshotLimits,
  type TemplateText,
  type Transport,
  type WireRequest,
  type WireResponse,
  watchFetch,
} from "../../src/adapter";
import type { PostmarkInternals, Wire } from "./client";
import { postmarkCodec } from "./codec";
import { readTemplate, templatesIn } from "./templates";

/** The arguments of `httpRequest`. */
export type Arguments = readonly [method: string, path: string, query: Plain, body: Plain, headers: PlainRecord];

/** Copies the arguments, reading each once, as they would be written. */
export function copyArguments(given: readonly unknown[], limits: SnapshotLimits): Arguments {
  const [method, path, query, body, headers] = given;
  return [
    String(method).toUpperCase(),
    String(path),
    copyJson(query, limits),
    body === null || body === undefined ? undefined : copyJson(body, limits),
    asRecord(copyJson(headers, limits)) ?? {},
  ];
}

/** What these arguments put on the wire, credentials left out. */
export function wireOf([method, path, query, body, headers]: Arguments): WireRequest {
  // The host is the client's own: the SDK puts a slash between it and the path.
  const target = readTarget(new URL(`http://postmark.invalid${path.startsWith("/") ? path : `/${path}`}`));
  const pairs = Object.entries(asRecord(query) ?? {}).filter(([, value]) => value !== undefined && value !== null);
  return {
    method,
    path: target.path,
    query: [...target.query, ...pairs.map(([name, value]) => [name, String(value)] as const)],
    headers: Object.entries(headers)
      .map(([name, value]) => [name.toLowerCase(), String(value)] as const)
      .filter(([name]) => !isOrdinary(name)),
    body: body === undefined ? { kind: "none" } : { kind: "json", value: body },
  };
}

// Tokens and what the SDK sets on every request: the client has them when a spooled copy is delivered.
function isOrdinary(name: string): boolean {
  return /^x-postmark-(?:server|account)-token$|^(?:accept|content-type|user-agent)$/.test(name);
}

/** Makes and passes the calls of one client. */
export class PostmarkCalls {
  constructor(
    private readonly client: PostmarkInternals,
    private readonly original: (this: object, ...args: unknown[]) => unknown,
    private readonly wire: Wire,
    private readonly gate: Gate,
    private readonly resolveTemplates: boolean,
  ) {}

  /** Stands in for `httpClient.httpRequest`. Async, so that a request that cannot be copied rejects. */
  async request(given: readonly unknown[]): Promise<unknown> {
    const args = copyArguments(given, this.gate.limits);
    const wire = wireOf(args);
    const transport = this.#transport(args);
    if (!this.resolveTemplates) return this.gate.pass(codecCall(postmarkCodec, wire, transport));
    const templates = await this.#templates(wire);
    return this.gate.pass(codecCall(postmarkCodec, { ...wire, templates }, transport));
  }

  revive(spooled: Uint8Array): Call {
    const wire = decodeWire(spooled);
    const query = Object.fromEntries(wire.query);
    const headers = Object.fromEntries(wire.headers);
    return codecCall(postmarkCodec, wire, this.#transport([wire.method, wire.path, query, undefined, headers], true));
  }

  /** Sends the body of a request with the copied rest of the arguments; a spooled one has no token of its own. */
  #transport([method, path, query, , headers]: Arguments, spooled = false): Transport<unknown> {
    let unconnected = (): boolean => false;
    return {
      send: (request) => {
        const body = request.body.kind === "json" ? request.body.value : null;
        const all = spooled ? { ...this.client.getComposedHttpRequestHeaders(), ...headers } : headers;
        const { result, neverConnected } = watchFetch(() =>
          this.original.call(this.wire.opened(), method, path, query, body, all),
        );
        unconnected = neverConnected;
        return result as Promise<unknown>;
      },
      answer: ({ body }) => body,
      response: responseOf,
      neverConnected: (error) => unconnected() || isNoConnection(error),
    };
  }

  async #templates(wire: WireRequest): Promise<Readonly<Record<string, TemplateText>>> {
    const found: Record<string, TemplateText> = {};
    for (const id of templatesIn(wire)) {
      // What cannot be read stays unbound; the guards see that.
      const args: Arguments = ["GET", `/templates/${encodeURIComponent(id)}`, {}, undefined, {}];
      const call = codecCall(postmarkCodec, wireOf(args), this.#transport(args));
      const text = await this.gate.pass(call).then(readTemplate, () => undefined);
      if (text) found[id] = text;
    }
    return found;
  }
}

function responseOf(settled: { readonly result: unknown } | { readonly error: unknown }): WireResponse | undefined {
  if ("result" in settled) return { status: 200, headers: {}, body: settled.result as Plain };
  const { statusCode, code } = (settled.error ?? {}) as { statusCode?: unknown; code?: unknown };
  if (typeof statusCode !== "number" || statusCode === 0) return undefined;
  return { status: statusCode, headers: {}, body: { ErrorCode: typeof code === "number" ? code : 0 } };
}
