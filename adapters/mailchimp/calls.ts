/**
 * From the arguments of `post` to a copy, and from the copy back to the SDK.
 *
 * @module
 */
import {
  asRecord,
  below,
  type Call,
  type Codec,
  codecCall,
  copyJson,
  decodeWire,
  type Gate,
  isNoConnection,
  type Plain,
  type PlainRecord,
  type Refusal,
  readTarget,
  type SnapshotLimits,
  type TemplateText,
  type Transport,
  type WireRequest,
  type WireResponse,
} from "../../src/adapter";
import { layoutOf, mailchimpCodec } from "./codec";
import { readTemplate, templateOf } from "./content";

/** What the adapter uses of a client. */
export interface MailchimpInternals {
  readonly basePath: unknown;
  readonly apiKey: unknown;
  readonly defaultOutputFormat: unknown;
  readonly formatList: unknown;
  readonly requestConfig: unknown;
  post(path: unknown, body?: unknown): Promise<unknown>;
}

// Settings of axios that change neither what is sent nor to whom.
const harmless = new Set(
  (
    "headers timeout timeoutErrorMessage maxContentLength maxBodyLength maxRedirects httpAgent httpsAgent proxy " +
    "decompress signal cancelToken responseType responseEncoding family validateStatus"
  ).split(" "),
);

/** A request, each part read once. */
export interface Copied {
  readonly wire: WireRequest;
  readonly path: string;
  /** The client as it was when the request was judged: where it goes, and how. */
  readonly pinned: object;
  readonly outputFormat: Plain;
  readonly settings: readonly string[];
}

/** Copies the arguments of `post`, and what of the client decides where they go. */
export function copyRequest(client: MailchimpInternals, given: readonly unknown[], limits: SnapshotLimits): Copied {
  const basePath = String(client.basePath);
  const path = String(given[0]);
  const { key: _key, outputFormat, ...body } = asRecord(copyJson(given[1] ?? {}, limits)) ?? {};
  const config = { ...(client.requestConfig as Record<string, unknown> | undefined) };
  const headers = asRecord(copyJson(config.headers, limits)) ?? {};
  const url = below(basePath, `${basePath}${path}`);
  const target = url && readTarget(url);
  const wire: WireRequest = {
    method: "POST",
    path: target?.path ?? "",
    query: target?.query ?? [],
    headers: Object.entries(headers)
      .map(([name, value]) => [name.toLowerCase(), String(value)] as const)
      .filter(([name]) => name !== "user-agent"),
    body: { kind: "json", value: body },
  };
  const pinned = Object.create(client, {
    basePath: { value: basePath },
    requestConfig: { value: { ...config, headers } },
    apiKey: { value: client.apiKey },
  }) as object;
  return { wire, path, pinned, outputFormat, settings: Object.keys(config).filter((name) => !harmless.has(name)) };
}

/** Makes and passes the calls of one client. */
export class MailchimpCalls {
  constructor(
    private readonly client: MailchimpInternals,
    private readonly original: (this: object, ...args: unknown[]) => unknown,
    private readonly gate: Gate,
    private readonly resolveTemplates: boolean,
  ) {}

  /** Stands in for `post`. Async, so that a request that cannot be copied rejects. */
  async request(given: readonly unknown[]): Promise<unknown> {
    const copied = copyRequest(this.client, given, this.gate.limits);
    const codec = withSettings(copied.settings);
    const templates = await this.#templates(copied.wire);
    const wire = templates ? { ...copied.wire, templates } : copied.wire;
    return this.gate.pass(codecCall(codec, wire, this.#transport(copied)));
  }

  revive(spooled: Uint8Array): Call {
    const wire = decodeWire(spooled);
    const copied = copyRequest(this.client, [wire.path, {}], this.gate.limits);
    return codecCall(withSettings(copied.settings), wire, this.#transport(copied));
  }

  #transport({ path, pinned, outputFormat }: Copied): Transport<unknown> {
    return {
      send: (request) => {
        const body = request.body.kind === "json" ? asRecord(request.body.value) : undefined;
        // The SDK writes its key into the object it is given: a copy of the copy.
        const given = { ...body, ...(outputFormat === undefined ? {} : { outputFormat }) };
        return this.original.call(pinned, path, given) as Promise<unknown>;
      },
      answer: ({ body }) => body,
      response: responseOf,
      neverConnected: isNoConnection,
    };
  }

  async #templates(wire: WireRequest): Promise<Readonly<Record<string, TemplateText>> | undefined> {
    const body = wire.body.kind === "json" ? wire.body.value : undefined;
    const name = asRecord(body)?.template_name;
    if (!this.resolveTemplates || layoutOf(wire) !== "mail" || typeof name !== "string" || templateOf(body) !== name)
      return undefined;
    const copied = copyRequest(this.client, ["/templates/info", { name }], this.gate.limits);
    const call = codecCall(withSettings(copied.settings), copied.wire, this.#transport(copied));
    // What cannot be read stays unbound; the guards see that.
    const text = await this.gate.pass(call).then(
      (answer) => (answer instanceof Error ? undefined : readTemplate(answer as Plain)),
      () => undefined,
    );
    return text && { [name]: text };
  }
}

/** The codec, with a reason to refuse mail while axios is told to do something to it on the way. */
function withSettings(unknown: readonly string[]): Codec {
  if (unknown.length === 0) return mailchimpCodec;
  const problems: Refusal[] = unknown.map((name) => ({
    code: "FIELD_UNKNOWN",
    message: "Expected request settings that leave the mail as it is, got another one.",
    fix: "Take it out of requestConfig.",
    where: `requestConfig.${/^\w{1,40}$/.test(name) ? name : "[…]"}`,
  }));
  return {
    ...mailchimpCodec,
    classify(request) {
      const intent = mailchimpCodec.classify(request);
      if (intent.kind === "read" || intent.kind === "management")
        return { kind: "unknown", what: "a request with unknown settings", problems };
      return { ...intent, problems: [...(intent.problems ?? []), ...problems] };
    },
  };
}

// The SDK resolves errors: an answer may stand in a result that is one.
function responseOf(settled: { readonly result: unknown } | { readonly error: unknown }): WireResponse | undefined {
  const told = "result" in settled ? settled.result : settled.error;
  if (!(told instanceof Error)) return { status: 200, headers: {}, body: told as PlainRecord };
  const { response } = told as { response?: { status?: unknown; data?: unknown } };
  if (typeof response?.status !== "number") return undefined;
  return { status: response.status, headers: {}, body: response.data as PlainRecord };
}
