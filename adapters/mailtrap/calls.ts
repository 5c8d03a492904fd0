/**
 * From an axios request to a copy, and from the copy back to axios.
 *
 * @module
 */
import {
  asRecord,
  assertCleanPrototypes,
  asText,
  type Call,
  codecCall,
  copyJson,
  decodeWire,
  field,
  type Gate,
  isNoConnection,
  MailfuseError,
  type Plain,
  readJson,
  readTarget,
  type SnapshotLimits,
  snapshot,
  type TemplateText,
  type Transport,
  type WireBody,
  type WireRequest,
  type WireResponse,
} from "../../src/adapter";
import { type Axios, type Config, ownAdapter } from "./choke-point";
import { layoutOf, mailtrapCodec } from "./codec";
import { templateOf } from "./messages";

/** An axios response, as far as it is used. */
interface Answer {
  readonly status?: unknown;
  readonly headers?: unknown;
  readonly data?: unknown;
}

/** A request, each part read once. */
interface Copied {
  readonly wire: WireRequest;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Settings of axios; what is judged is set anew over them. */
  readonly settings: Config;
}

const ordinary = new Set(
  "authorization user-agent accept accept-encoding content-type content-length connection host".split(" "),
);

function copyConfig(axios: Axios, config: Config, limits: SnapshotLimits): Copied {
  assertCleanPrototypes();
  const settings = { ...config };
  const { toJSON } = (settings.headers ?? {}) as { toJSON?: () => unknown };
  const given = asRecord(copyJson(toJSON ? toJSON.call(settings.headers) : settings.headers, limits)) ?? {};
  const headers = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)]));
  const { url: path, baseURL, params, paramsSerializer, allowAbsoluteUrls } = settings;
  const address = axios.getUri({
    url: String(path),
    ...(baseURL === undefined ? {} : { baseURL: String(baseURL) }),
    ...(params === undefined ? {} : { params: snapshot(params, limits) }),
    ...(paramsSerializer === undefined ? {} : { paramsSerializer }),
    ...(allowAbsoluteUrls === undefined ? {} : { allowAbsoluteUrls }),
  });
  if (!URL.canParse(address)) throw new MailfuseError(noUrl);
  const url = new URL(address);
  const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  const type = named.find(([name]) => name === "content-type")?.[1] ?? "";
  return {
    url,
    headers,
    settings,
    wire: {
      method: String(settings.method ?? "get").toUpperCase(),
      ...readTarget(url),
      headers: named.filter(([name]) => !ordinary.has(name)),
      body: copyBody(settings.data, type, limits),
    },
  };
}

function copyBody(data: unknown, type: string, limits: SnapshotLimits): WireBody {
  if (data === undefined || data === null || data === "") return { kind: "none" };
  if (typeof data !== "string") throw new MailfuseError(otherBody);
  if (data.length > limits.bytes) throw new MailfuseError(tooLarge);
  const value = /^application\/json\b/i.test(type) ? readJson(data) : undefined;
  return value === undefined
    ? { kind: "bytes", bytes: Buffer.from(data) }
    : { kind: "json", value: snapshot(value, limits) };
}

/** Makes and passes the calls of one client. */
export class MailtrapCalls {
  constructor(
    private readonly axios: Axios,
    private readonly accountId: () => unknown,
    private readonly gate: Gate,
    private readonly resolveTemplates: boolean,
  ) {}

  /** Stands in for the instance's adapter. */
  async request(config: Config): Promise<unknown> {
    const copied = copyConfig(this.axios, config, this.gate.limits);
    const templates = this.resolveTemplates ? await this.#templates(copied.wire) : undefined;
    const wire = templates ? { ...copied.wire, templates } : copied.wire;
    return this.#pass({ ...copied, wire }, config);
  }

  revive(spooled: Uint8Array): Call {
    const text = Buffer.from(spooled);
    const end = text.indexOf("\n");
    const origin = text.toString("utf8", 0, end);
    // A path alone does not say which of the hosts it belongs to.
    if (end < 0 || !URL.canParse(origin)) throw new MailfuseError(notOurs);
    const wire = decodeWire(text.subarray(end + 1));
    const url = new URL(wire.path.split("/").map(encodeURIComponent).join("/"), origin);
    for (const [name, value] of wire.query) url.searchParams.append(name, value);
    const headers = {
      ...Object.fromEntries(wire.headers),
      ...(wire.body.kind === "json" ? { "Content-Type": "application/json" } : {}),
    };
    return this.#call({ wire, url, headers, settings: {} }, {}) as Call;
  }

  #pass(copied: Copied, config: Config): Promise<unknown> {
    return this.gate.pass(this.#call(copied, config));
  }

  #call(copied: Copied, config: Config): Call<unknown> {
    const call = codecCall(mailtrapCodec, copied.wire, this.#transport(copied, config));
    return { ...call, spool: () => Buffer.concat([Buffer.from(`${copied.url.origin}\n`), call.spool()]) };
  }

  #transport({ wire, url, headers, settings }: Copied, config: Config): Transport<unknown> {
    const reads = wire.method === "GET" || wire.method === "HEAD";
    return {
      send: async (request) => {
        const kept = (data: unknown) => data;
        const answer = (await this.axios.create().request({
          ...settings,
          url: url.href,
          baseURL: undefined,
          params: undefined,
          method: wire.method.toLowerCase(),
          headers: { ...headers, ...Object.fromEntries(request.headers) },
          data: textOf(request.body),
          adapter: ownAdapter(this.axios),
          transformRequest: [kept],
          // The instance it came through reads the answer.
          transformResponse: [kept],
          // Following would send the mail again, to wherever the answer says.
          ...(reads ? {} : { maxRedirects: 0 }),
        })) as Answer;
        return { ...answer, config };
      },
      answer: ({ status, headers: answered, body }) => ({
        status,
        statusText: "OK",
        headers: answered,
        config,
        data: JSON.stringify(body),
      }),
      response: responseOf,
      neverConnected: isNoConnection,
    };
  }

  /** The texts of the templates that a request names; what cannot be read stays unbound. */
  async #templates(wire: WireRequest): Promise<Readonly<Record<string, TemplateText>> | undefined> {
    const body = wire.body.kind === "json" ? wire.body.value : undefined;
    const mails = [body, field(body, "base"), ...listed(field(body, "requests"))];
    const ids = new Set(mails.flatMap((mail) => templateOf(mail) ?? []));
    const account = this.accountId();
    if (layoutOf(wire) === undefined || ids.size === 0 || account === undefined) return undefined;
    try {
      const url = `https://mailtrap.io/api/accounts/${encodeURIComponent(String(account))}/email_templates`;
      const copied = copyConfig(this.axios, { url, method: "get" }, this.gate.limits);
      const { data } = (await this.#pass(copied, {})) as Answer;
      const all = listed(readJson(String(data)));
      const found = all.flatMap((one) => {
        const id = asText(field(one, "uuid"));
        return id !== undefined && ids.has(id) ? [[id, readTemplate(one)] as const] : [];
      });
      return Object.fromEntries(found);
    } catch {
      return undefined;
    }
  }
}

function textOf(body: WireBody): unknown {
  if (body.kind === "json") return JSON.stringify(body.value);
  return body.kind === "bytes" ? Buffer.from(body.bytes).toString("utf8") : undefined;
}

function listed(value: Plain): readonly Plain[] {
  return Array.isArray(value) ? value : [];
}

/** https://docs.mailtrap.io/developers/management/templates */
function readTemplate(one: Plain): TemplateText {
  const [subject, text, html] = ["subject", "body_text", "body_html"].map((name) => asText(field(one, name)));
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
  };
}

function responseOf(settled: { readonly result: unknown } | { readonly error: unknown }): WireResponse | undefined {
  const answer = "result" in settled ? settled.result : (settled.error as { response?: unknown } | null)?.response;
  const { status, data } = (answer ?? {}) as Answer;
  if (typeof status !== "number") return undefined;
  return { status, headers: {}, body: typeof data === "string" ? readJson(data) : (data as Plain) };
}

const noUrl = {
  code: "REQUEST_UNKNOWN",
  message: "Expected a request to a URL, got an address that is none.",
} as const;

const otherBody = {
  code: "COPY_UNSUPPORTED",
  message: "Expected a request's body as text, got another kind.",
  fix: "Pass the mail to the method of the SDK that is meant for it.",
} as const;

const tooLarge = {
  code: "COPY_TOO_LARGE",
  message: "Expected a request within the limits of a copy, got a larger one.",
  fix: "Send it in parts, or raise the limit in the configuration.",
} as const;

const notOurs = {
  code: "PLAN_TAMPERED",
  message: "Expected a spooled request of a Mailtrap client, got bytes that do not read as one.",
} as const;
