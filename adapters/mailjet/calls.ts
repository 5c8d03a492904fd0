/**
 * From a request builder to a copy, and from the copy back to the SDK.
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
  readJson,
  readTarget,
  type SnapshotLimits,
  type TemplateText,
  type Transport,
  type WireBody,
  type WireRequest,
  type WireResponse,
} from "../../src/adapter";
import type { MakeRequest } from "./choke-point";
import { mailjetCodec, versionOf } from "./codec";
import { readTemplate, templatesIn } from "./content";

/** What the adapter uses of a client. */
export interface MailjetInternals {
  get(resource: string, config?: object): Builder;
  getAPIKey(): unknown;
  getConfig(): { readonly host?: unknown };
  getOptions(): object;
}

/** What a client's verbs give. */
export interface Builder {
  readonly client: MailjetInternals;
  readonly method: unknown;
  getContentType(url: unknown): unknown;
  getRequestBody(data: unknown): unknown;
}

/** A request, each part read once. */
export interface Copied {
  readonly wire: WireRequest;
  readonly url: string;
  readonly params: Plain;
  /** The builder as it was when the request was judged, with the body it is to send. */
  pinned(body: unknown): Builder;
  /** What the builder would send where it is not a mail. */
  readonly data: unknown;
}

/** Copies the arguments of `makeRequest`, and what of the builder decides what leaves. */
export function copyRequest(builder: Builder, given: readonly unknown[], limits: SnapshotLimits): Copied {
  const [address, data, query] = given;
  const url = String(address);
  const method = String(builder.method).toLowerCase();
  const params = copyJson(query, limits);
  const { client } = builder;
  const { headers: set, ...options } = { ...client.getOptions() } as { headers?: unknown };
  const headers = asRecord(copyJson(set, limits)) ?? {};
  const type = builder.getContentType(url);
  const body = builder.getRequestBody(data);
  const copied = typeof body === "string" ? body : body === undefined ? undefined : copyJson(body, limits);
  // The protocol is the class's own and may be set; a request must stay on the client's host.
  const inside = below(`${/^\w+:\/\//.exec(url)?.[0] ?? ""}${String(client.getConfig().host)}`, url);
  const target = inside && readTarget(inside);
  const wire: WireRequest = {
    method: method.toUpperCase(),
    path: target?.path ?? "",
    query: [
      ...(target?.query ?? []),
      ...Object.entries(asRecord(params) ?? {}).map(([name, value]) => [name, String(value)] as const),
    ],
    headers: Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
    body: bodyOf(copied, String(type), limits),
  };
  const settings = { ...options, headers };
  return {
    wire,
    url,
    params,
    data: copied,
    pinned: (value) =>
      Object.create(builder, {
        method: { value: method },
        client: { value: Object.create(client, { getOptions: { value: () => settings } }) },
        getContentType: { value: () => type },
        getRequestBody: { value: () => value },
      }) as Builder,
  };
}

function bodyOf(data: Plain, type: string, limits: SnapshotLimits): WireBody {
  if (data === undefined) return { kind: "none" };
  if (typeof data !== "string") return { kind: "json", value: data };
  const value = type === "application/json" ? readJson(data) : undefined;
  return value === undefined
    ? { kind: "bytes", bytes: Buffer.from(data) }
    : { kind: "json", value: copyJson(value, limits) };
}

/** Makes and passes the calls of one client. */
export class MailjetCalls {
  constructor(
    private readonly client: MailjetInternals,
    private readonly original: MakeRequest,
    private readonly gate: Gate,
    private readonly resolveTemplates: boolean,
  ) {}

  /** Stands in for `makeRequest`. Async, so that a request that cannot be copied rejects. */
  async request(builder: Builder, given: readonly unknown[]): Promise<unknown> {
    const copied = copyRequest(builder, given, this.gate.limits);
    const templates = this.resolveTemplates ? await this.#templates(copied.wire) : undefined;
    const wire = templates ? { ...copied.wire, templates } : copied.wire;
    return this.gate.pass(codecCall(mailjetCodec, wire, this.#transport(copied)));
  }

  revive(spooled: Uint8Array): Call {
    const wire = decodeWire(spooled);
    return codecCall(mailjetCodec, wire, this.#transport(this.#towards(wire.method, wire.path)));
  }

  /** A request without a body, to a path at the client's host. */
  #towards(method: string, path: string): Copied {
    const builder = this.client.get("send") as Builder & { buildFullUrl(): string };
    const url = new URL(builder.buildFullUrl());
    const root = `${url.protocol}//${String(this.client.getConfig().host)}`;
    const made = Object.create(builder, {
      method: { value: method.toLowerCase() },
      getRequestBody: { value: () => undefined },
    }) as Builder;
    return copyRequest(made, [`${root}${path}`, undefined, undefined], this.gate.limits);
  }

  /** The texts of the templates that a request names; what cannot be read stays unbound. */
  async #templates(wire: WireRequest): Promise<Readonly<Record<string, TemplateText>> | undefined> {
    const body = wire.body.kind === "json" ? wire.body.value : undefined;
    if (versionOf(wire) === undefined) return undefined;
    const found: Record<string, TemplateText> = {};
    for (const id of templatesIn(body)) {
      const copied = this.#towards("GET", `/v3/REST/template/${id}/detailcontent`);
      const call = codecCall(mailjetCodec, copied.wire, this.#transport(copied));
      const text = await this.gate.pass(call).then(
        (answer) => readTemplate((answer as { data?: Plain }).data),
        () => undefined,
      );
      if (text) found[id] = text;
    }
    return found;
  }

  #transport(copied: Copied): Transport<unknown> {
    return {
      send: (request) => {
        const mail = versionOf(request) !== undefined && request.body.kind === "json";
        const body = mail && request.body.kind === "json" ? request.body.value : copied.data;
        return this.original.call(copied.pinned(body), copied.url, body, copied.params) as Promise<unknown>;
      },
      answer: ({ status, headers, body }) => ({ status, statusText: "OK", headers, data: body, config: {} }),
      response: responseOf,
      neverConnected: isNoConnection,
    };
  }
}

function responseOf(settled: { readonly result: unknown } | { readonly error: unknown }): WireResponse | undefined {
  const answer = "result" in settled ? settled.result : (settled.error as { response?: unknown } | null)?.response;
  const { status, data } = (answer ?? {}) as { status?: unknown; data?: unknown };
  return typeof status === "number" ? { status, headers: {}, body: data as Plain } : undefined;
}
