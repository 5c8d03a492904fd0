/**
 * Calls of one attached SendGrid client: from the client's request to a copy, and from the copy back
 * to the client.
 *
 * @module
 */
import {
  asRecord,
  type Call,
  type Codec,
  codecCall,
  copyJson,
  decodeWire,
  type Gate,
  isNoConnection,
  type Plain,
  type Refusal,
  readTarget,
  type TemplateText,
  type Transport,
  type WireBody,
  type WireRequest,
  type WireResponse,
} from "../../src/adapter";
import { type AxiosRequest, bodyOf, copyHeaders, readBody, settled, urlOf } from "./axios";
import { isSend, sendgridCodec, templateOf } from "./codec";
import { readTemplate } from "./templates";

/** What the adapter uses of a client. */
export interface SendGridClient {
  request: (this: object, ...args: unknown[]) => unknown;
  createRequest(data: unknown): AxiosRequest;
  createHeaders(headers: object): Record<string, unknown>;
  readonly defaultRequest: { readonly baseUrl?: unknown };
  readonly impersonateSubuser?: unknown;
}

/** What `request` resolves to. */
type Answer = [{ statusCode: number; body: unknown; headers: unknown }, unknown];

/** SendGrid's own class of answers, which the packages do not export. */
class Response {
  constructor(
    readonly statusCode: number,
    readonly body: unknown,
    readonly headers: unknown,
  ) {}

  toString(): string {
    return `HTTP ${this.statusCode} ${this.body}`;
  }
}

// Settings of axios that change neither what is sent nor to whom. Others (transformRequest, adapter,
// paramsSerializer, beforeRedirect) run after the last look at a mail.
const harmless = new Set(
  (
    "url baseURL method params headers data timeout timeoutErrorMessage maxContentLength maxBodyLength maxRedirects " +
    "httpAgent httpsAgent proxy decompress signal cancelToken responseType responseEncoding withCredentials family " +
    "transitional validateStatus"
  ).split(" "),
);

/** Makes and passes the calls of one client. */
export class SendGridCalls {
  readonly #client: SendGridClient;
  readonly #original: (this: object, ...args: unknown[]) => unknown;
  readonly #gate: Gate;
  readonly #resolveTemplates: boolean;

  constructor(
    client: SendGridClient,
    original: (this: object, ...args: unknown[]) => unknown,
    gate: Gate,
    resolveTemplates: boolean,
  ) {
    this.#client = client;
    this.#original = original;
    this.#gate = gate;
    this.#resolveTemplates = resolveTemplates;
  }

  /** Stands in for `client.request`, callback idiom included. */
  request(data: unknown, callback: unknown): Promise<unknown> {
    if (callback && typeof callback !== "function") throw new Error("Callback passed is not a function.");
    const answer = this.#pass(data);
    if (!callback) return answer;
    const done = callback as (error: unknown, result: unknown) => unknown;
    return answer.then((result) => done(null, result)).catch((error: unknown) => done(error, null));
  }

  /** The host and, where one is set, the subuser: what tells accounts apart without a secret. */
  account(): string | undefined {
    const url = urlOf({ url: "/", baseURL: this.#client.defaultRequest.baseUrl });
    const subuser = this.#client.impersonateSubuser;
    return url && (typeof subuser === "string" && subuser !== "" ? `${url.host}/${subuser}` : url.host);
  }

  revive(spooled: Uint8Array): Call {
    const wire = decodeWire(spooled);
    const transport = this.#transport((request) =>
      this.#client.createRequest({
        method: request.method,
        url: request.path,
        headers: Object.fromEntries(request.headers),
        ...(request.query.length > 0 ? { qs: Object.fromEntries(request.query) } : {}),
        body: bodyOf(request.body),
      }),
    );
    return codecCall(sendgridCodec, wire, transport) as Call;
  }

  // Async, so that a request that cannot be copied rejects, as every refusal does.
  async #pass(data: unknown): Promise<Answer> {
    const options = settled(this.#client.createRequest(data));
    const params = copyJson(options.params, this.#gate.limits);
    const headers = copyHeaders(options.headers, this.#gate.limits);
    const body = readBody(options, headers, this.#gate);
    const wire = this.#wire(options, params, headers, body);
    const native = { ...options, params, headers };
    const transport = this.#transport((request) => ({ ...native, data: bodyOf(request.body) }));
    const codec = withSettings(Object.keys(options).filter((key) => !harmless.has(key)));
    if (!this.#resolveTemplates) return this.#gate.pass(codecCall(codec, wire, transport));
    const templates = await this.#templates(wire);
    return this.#gate.pass(codecCall(codec, templates ? { ...wire, templates } : wire, transport));
  }

  #wire(options: ReturnType<typeof settled>, params: Plain, headers: Plain, body: WireBody): WireRequest {
    const url = urlOf(options);
    const target = url ? readTarget(url) : { path: "", query: [] };
    const own = this.#client.createHeaders({});
    const added = Object.entries(asRecord(headers) ?? {}).filter(([name, value]) => own[name] !== value);
    return {
      method: options.method.toUpperCase(),
      path: target.path,
      query: [
        ...target.query,
        ...Object.entries(asRecord(params) ?? {}).map(([name, value]) => [name, String(value)] as const),
      ],
      headers: added.map(([name, value]) => [name.toLowerCase(), String(value)]),
      body,
    };
  }

  #transport(native: (request: WireRequest) => AxiosRequest): Transport<Answer> {
    return {
      send: (request) => this.#original.call(pinned(this.#client, native(request)), {}) as Promise<Answer>,
      answer: ({ status, headers, body }) => [new Response(status, body, { ...headers }), body],
      response: responseOf,
      neverConnected: isNoConnection,
    };
  }

  async #templates(wire: WireRequest): Promise<Readonly<Record<string, TemplateText>> | undefined> {
    if (!isSend(wire.method, wire.path) || wire.body.kind !== "json") return undefined;
    const id = templateOf(wire.body.value);
    if (id === undefined || id === "") return undefined;
    const url = `/v3/templates/${encodeURIComponent(id)}`;
    // What cannot be read stays unbound; the guards see that.
    const text = await this.#pass({ method: "GET", url }).then(
      ([, body]) => readTemplate(body),
      () => undefined,
    );
    return text && { [id]: text };
  }
}

/** The client with its next request decided: `request` asks `createRequest`, and sends what that gives. */
function pinned(client: SendGridClient, options: AxiosRequest): object {
  return Object.create(client, { createRequest: { value: () => options } }) as object;
}

/** The codec, with a reason to refuse mail while axios is told to do something to it on the way. */
function withSettings(unknown: readonly string[]): Codec {
  if (unknown.length === 0) return sendgridCodec;
  const problems: Refusal[] = unknown.map((name) => ({
    code: "FIELD_UNKNOWN",
    message: "Expected request settings that leave the mail as it is, got another one.",
    fix: "Take it out of setDefaultRequest.",
    where: `defaultRequest.${/^\w{1,40}$/.test(name) ? name : "[…]"}`,
  }));
  return {
    ...sendgridCodec,
    classify(request) {
      const intent = sendgridCodec.classify(request);
      if (intent.kind === "read") return { kind: "unknown", what: "a read with unknown request settings", problems };
      return intent.kind === "management" ? intent : { ...intent, problems: [...(intent.problems ?? []), ...problems] };
    },
  };
}

function responseOf(settled: { readonly result: Answer } | { readonly error: unknown }): WireResponse | undefined {
  if ("result" in settled) {
    const { statusCode, headers, body } = settled.result[0];
    return { status: statusCode, headers: textHeaders(headers), body: body as Plain };
  }
  const error = settled.error as {
    code?: unknown;
    response?: { status?: unknown; headers?: unknown; body?: unknown };
  } | null;
  const status = typeof error?.code === "number" ? error.code : error?.response?.status;
  if (typeof status !== "number") return undefined;
  return { status, headers: textHeaders(error?.response?.headers), body: error?.response?.body as Plain };
}

function textHeaders(headers: unknown): Record<string, string> {
  if (typeof headers !== "object" || headers === null) return {};
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
}
