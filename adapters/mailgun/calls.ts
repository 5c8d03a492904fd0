/**
 * Calls of one attached Mailgun client: from the client's request to a copy, and from the copy back
 * to the client.
 *
 * @module
 */
import {
  asText,
  type Call,
  type Codec,
  codecCall,
  copyJson,
  decodeWire,
  field,
  type Gate,
  type Plain,
  readTarget,
  systemClock,
  type TemplateText,
  type Transport,
  type WireBody,
  type WireRequest,
  type WireResponse,
} from "../../src/adapter";
import type { Answer, ChokePoint, MailgunRequest, RequestConfig } from "./choke-point";
import { sendForm } from "./codec";
import { buildForm, copyForm } from "./form";
import type { Fields } from "./messages";

/** A judged form on its way to the last step. */
interface Ticket {
  readonly path: string;
  readonly query: string;
  used: boolean;
}

/** Makes and passes the calls of one client. */
export class MailgunCalls {
  readonly #request: MailgunRequest;
  readonly #choke: ChokePoint;
  readonly #gate: Gate;
  readonly #codec: Codec;
  readonly #resolveTemplates: boolean;

  constructor(request: MailgunRequest, choke: ChokePoint, gate: Gate, codec: Codec, resolveTemplates: boolean) {
    this.#request = request;
    this.#choke = choke;
    this.#gate = gate;
    this.#codec = codec;
    this.#resolveTemplates = resolveTemplates;
  }

  account(): string | undefined {
    return urlOf(this.#request.url)?.host;
  }

  /** Stands in for `request.postWithFD`. */
  readonly post = async (url: string, data: unknown): Promise<Answer> => {
    const written = String(url);
    const target = this.#targetOf(written);
    const stored = /^\/v3\/domains\/[^/]+\/messages\/[^/]+$/i.test(target.path);
    // Other forms mail nobody that they name; they are judged by their path at the last step.
    if (!sendForm(target.path) && !stored) return this.#choke.post(written, data);
    const copied = copyForm(data, this.#gate.limits, systemClock);
    const fields = copied instanceof Promise ? await copied : copied;
    const wire: WireRequest = { method: "POST", ...target, headers: [], body: { kind: "form", fields } };
    const templates = this.#resolveTemplates ? await this.#templates(target.path, fields) : undefined;
    const given = templates ? { ...wire, templates } : wire;
    return this.#gate.pass(codecCall(this.#codec, given, this.#formTransport(written)));
  };

  /** Stands in for `request.requestProvider.makeRequest`. */
  readonly make: MailgunRequest["requestProvider"]["makeRequest"] = (...given) => this.#make(undefined, ...given);

  /** @param ticket Of the judged form that this request is made of: the client's steps turn it into a stream nobody can read. */
  async #make(
    ticket: Ticket | undefined,
    url: string,
    method: string,
    config: RequestConfig,
    options: unknown,
  ): Promise<Answer> {
    const written = String(url);
    const verb = String(method);
    const params = copyParams(config?.params);
    const parsed = urlOf(written);
    const target = parsed ? readTarget(parsed) : { path: "", query: [] };
    const query = [...target.query, ...params];
    const native = {
      ...(config?.params === undefined ? {} : { params: new URLSearchParams(params) }),
      ...copyData(config),
    };
    const pass = () => this.#choke.make(written, verb, native, options);
    if (
      ticket &&
      !ticket.used &&
      verb.toUpperCase() === "POST" &&
      ticket.path === target.path &&
      ticket.query === JSON.stringify(query)
    ) {
      ticket.used = true;
      return pass();
    }
    const body = this.#bodyOf(native.data);
    const copied = body.kind === "json" ? { ...native, data: body.value } : native;
    const wire: WireRequest = { method: verb.toUpperCase(), path: target.path, query, headers: [], body };
    const send = () => this.#choke.make(written, verb, copied, options);
    return this.#gate.pass(codecCall(this.#codec, wire, { ...this.#answers(), send }));
  }

  revive(spooled: Uint8Array): Call {
    const wire = decodeWire(spooled);
    if (wire.body.kind === "form") return codecCall(this.#codec, wire, this.#formTransport(undefined)) as Call;
    const send = (request: WireRequest) =>
      this.#choke.make(
        `${this.#request.url.replace(/\/+$/, "")}${encodeURI(request.path)}`,
        request.method,
        {
          ...(request.query.length > 0
            ? { params: new URLSearchParams(request.query.map(([name, value]): [string, string] => [name, value])) }
            : {}),
          ...(request.body.kind === "json" ? { data: request.body.value } : {}),
        },
        { isFormURLEncoded: false },
      );
    return codecCall(this.#codec, wire, { ...this.#answers(), send }) as Call;
  }

  #formTransport(written: string | undefined): Transport<Answer> {
    const send = (request: WireRequest) => {
      const fields = request.body.kind === "form" ? request.body.fields : [];
      const ticket: Ticket = { path: request.path, query: JSON.stringify(request.query), used: false };
      const last: typeof this.make = (...given) => this.#make(ticket, ...given);
      return this.#choke.postThrough(last, written ?? request.path, buildForm(fields));
    };
    return { ...this.#answers(), send };
  }

  #answers(): Omit<Transport<Answer>, "send"> {
    return {
      answer: ({ status, body }) => ({ status, body }),
      response: responseOf,
      neverConnected: (error) => /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN)$/.test(networkCode(error) ?? ""),
    };
  }

  #targetOf(path: string): { readonly path: string; readonly query: readonly (readonly [string, string])[] } {
    const url = urlOf(`${this.#request.url.replace(/\/+$/, "")}/${path.replace(/^\/+/, "")}`);
    return url ? readTarget(url) : { path: "", query: [] };
  }

  #bodyOf(data: unknown): WireBody {
    if (data === undefined || data === null) return { kind: "none" };
    // A form that the client has built already cannot be read any more; no mail is let out of one.
    if (typeof data === "string" || isForm(data)) return { kind: "bytes", bytes: new Uint8Array() };
    return { kind: "json", value: copyJson(data, this.#gate.limits) };
  }

  async #templates(path: string, fields: Fields): Promise<Readonly<Record<string, TemplateText>> | undefined> {
    const of = (name: string) => asText(fields.find(([key]) => key === name)?.[1]);
    const id = of("template");
    const domain = path.split("/")[2];
    if (!id || !domain) return undefined;
    const version = of("t:version");
    const template = `/v3/${encodeURIComponent(domain)}/templates/${encodeURIComponent(id)}`;
    const reading = version
      ? this.#request.get(`${template}/versions/${encodeURIComponent(version)}`)
      : this.#request.get(template, { active: "yes" });
    // What cannot be read stays unbound; the guards see that.
    const answer = await reading.catch(() => undefined);
    const read = field(field(copyJson(answer?.body, this.#gate.limits), "template"), "version");
    const html = asText(field(read, "template"));
    const subject = asText(field(field(read, "headers"), "Subject"));
    return html === undefined ? undefined : { [id]: { html, ...(subject === undefined ? {} : { subject }) } };
  }
}

function urlOf(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

function copyParams(params: unknown): [string, string][] {
  if (params === undefined || params === null) return [];
  return params instanceof URLSearchParams ? [...params] : [...new URLSearchParams(params as Record<string, string>)];
}

function copyData(config: RequestConfig | undefined): { data?: unknown } {
  const data = config?.data;
  return data === undefined ? {} : { data };
}

function isForm(data: unknown): boolean {
  return data instanceof FormData || typeof (data as { getHeaders?: unknown }).getHeaders === "function";
}

/** mailgun.js makes an error of status 400 of network errors too, with the code as the message. */
function networkCode(error: unknown): string | undefined {
  const { type, status, message } = (error ?? {}) as { type?: unknown; status?: unknown; message?: unknown };
  if (type !== "MailgunAPIError" || status !== 400 || typeof message !== "string") return undefined;
  return message === "" || /^E[A-Z0-9_]{2,}$/.test(message) ? message : undefined;
}

function responseOf(settled: { readonly result: Answer } | { readonly error: unknown }): WireResponse | undefined {
  if ("result" in settled) return { status: settled.result.status, headers: {}, body: settled.result.body as Plain };
  const { type, status } = (settled.error ?? {}) as { type?: unknown; status?: unknown };
  if (type !== "MailgunAPIError" || typeof status !== "number" || networkCode(settled.error) !== undefined)
    return undefined;
  return { status, headers: {}, body: undefined };
}
