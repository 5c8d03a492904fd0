/**
 * Makes and passes the calls of one attached Resend client.
 *
 * @module
 */
import {
  asText,
  type Call,
  codecCall,
  decodeWire,
  field,
  type Gate,
  type Plain,
  type TemplateText,
  type Transport,
  type WireRequest,
  type WireResponse,
  watchFetch,
} from "../../src/adapter";
import { resendCodec } from "./codec";
import { bodyFor, type Copied, copyRequest, targetOf } from "./requests";
import { readTemplate, templatesIn } from "./templates";

/** What the adapter uses of a client. */
export interface ResendInternals {
  /** Absent in older versions, where the base is a constant of the module. */
  readonly baseUrl?: unknown;
  readonly key: string;
  readonly headers: Headers;
  fetchRequest(path: unknown, options?: unknown): Promise<ResendAnswer>;
}

/** What every method resolves to, errors included. */
export interface ResendAnswer {
  readonly data: unknown;
  readonly error: { readonly statusCode?: unknown; readonly name?: unknown } | null;
  readonly headers: Record<string, string> | null;
}

/** Where a client's paths begin. */
export function baseOf({ baseUrl }: Pick<ResendInternals, "baseUrl">): string {
  return typeof baseUrl === "string" ? baseUrl : "https://api.resend.com";
}

/** The calls of one client. */
export class ResendCalls {
  constructor(
    private readonly client: ResendInternals,
    private readonly original: (this: object, ...args: unknown[]) => unknown,
    private readonly gate: Gate,
    private readonly resolveTemplates: boolean,
  ) {}

  /** Stands in for `fetchRequest`. Async, so that a request that cannot be copied rejects. */
  async request(given: readonly unknown[]): Promise<unknown> {
    const baseUrl = baseOf(this.client);
    const copied = copyRequest(baseUrl, given, this.gate.limits);
    const transport = this.#transport(baseUrl, copied);
    if (!this.resolveTemplates) return this.gate.pass(codecCall(resendCodec, copied.wire, transport));
    const templates = await this.#templates(copied.wire);
    return this.gate.pass(codecCall(resendCodec, { ...copied.wire, templates }, transport));
  }

  revive(spooled: Uint8Array): Call {
    const wire = decodeWire(spooled);
    const headers = new Headers(this.client.headers);
    for (const [name, value] of wire.headers) headers.set(name, value);
    const copied: Copied = { wire, target: targetOf(wire), headers, settings: {} };
    return codecCall(resendCodec, wire, this.#transport(baseOf(this.client), copied));
  }

  #transport(baseUrl: string, { wire, target, headers, settings }: Copied): Transport<ResendAnswer> {
    let unconnected = (): boolean => false;
    return {
      send: (request) => {
        const all = new Headers(headers);
        for (const [name, value] of request.headers) all.set(name, value);
        const body = bodyFor(request.body);
        const options = { method: wire.method, headers: all, ...(body === undefined ? {} : { body }), ...settings };
        const { result, neverConnected } = watchFetch(() =>
          this.original.call(this.#towards(baseUrl), target, options),
        );
        unconnected = neverConnected;
        return result as Promise<ResendAnswer>;
      },
      answer: ({ body, headers: answered }) => ({ data: body, error: null, headers: { ...answered } }),
      response: responseOf,
      neverConnected: () => unconnected(),
    };
  }

  // The base was part of what was judged, and anybody may set it.
  #towards(baseUrl: string): object {
    if (baseOf(this.client) === baseUrl) return this.client;
    return Object.create(this.client, { baseUrl: { value: baseUrl } }) as object;
  }

  async #templates(wire: WireRequest): Promise<Readonly<Record<string, TemplateText>>> {
    const found: Record<string, TemplateText> = {};
    for (const id of templatesIn(wire)) {
      const options = { method: "GET", headers: this.client.headers };
      const copied = copyRequest(
        baseOf(this.client),
        [`/templates/${encodeURIComponent(id)}`, options],
        this.gate.limits,
      );
      // What cannot be read stays unbound; the guards see that.
      const call = codecCall(resendCodec, copied.wire, this.#transport(baseOf(this.client), copied));
      const text = await this.gate.pass(call).then(
        ({ data }) => readTemplate(data as Plain),
        () => undefined,
      );
      if (text) found[id] = text;
    }
    return found;
  }
}

// The SDK resolves errors, so the answer stands in the result either way.
function responseOf(
  settled: { readonly result: ResendAnswer } | { readonly error: unknown },
): WireResponse | undefined {
  if (!("result" in settled)) return undefined;
  const { data, error, headers } = settled.result;
  if (!error) return { status: 200, headers: headers ?? {}, body: data as Plain };
  const { statusCode } = error;
  if (typeof statusCode !== "number") return undefined;
  return { status: statusCode, headers: headers ?? {}, body: { name: asText(field(error as Plain, "name")) } };
}
