/**
 * Makes and passes the calls of one attached SparkPost client.
 *
 * @module
 */
import {
  type Call,
  type Codec,
  codecCall,
  decodeWire,
  type Gate,
  isNoConnection,
  type Plain,
  type Refusal,
  type TemplateText,
  type Transport,
  type WireRequest,
  type WireResponse,
} from "../../src/adapter";
import { sparkpostCodec, transmissionOf } from "./codec";
import { readTemplate, templateOf } from "./content";
import { type Copied, copyRequest, type SparkpostInternals } from "./requests";

/** The calls of one client. */
export class SparkpostCalls {
  constructor(
    private readonly client: SparkpostInternals,
    private readonly original: (this: object, ...args: unknown[]) => unknown,
    private readonly gate: Gate,
    private readonly resolveTemplates: boolean,
  ) {}

  /** Stands in for `request`. Async, so that a request that cannot be copied rejects. */
  async request(options: object): Promise<unknown> {
    const copied = copyRequest(this.client, options, this.gate.limits);
    const codec = withSettings(copied.unknown);
    if (!this.resolveTemplates) return this.gate.pass(codecCall(codec, copied.wire, this.#transport(copied)));
    const templates = await this.#templates(copied.wire);
    const wire = templates ? { ...copied.wire, templates } : copied.wire;
    return this.gate.pass(codecCall(codec, wire, this.#transport(copied)));
  }

  revive(spooled: Uint8Array): Call {
    const wire = decodeWire(spooled);
    const own = Object.entries(this.client.defaultHeaders as object).map(([name, value]) => [
      name.toLowerCase(),
      value,
    ]);
    const options = {
      uri: `${String(this.client.origin).replace(/\/+$/, "")}${wire.path}`,
      method: wire.method,
      json: true,
      qs: Object.fromEntries(wire.query),
      headers: Object.fromEntries(
        wire.headers.filter(([name, value]) => !own.some(([known, same]) => known === name && same === value)),
      ),
    };
    const copied = copyRequest(this.client, options, this.gate.limits);
    return codecCall(sparkpostCodec, wire, this.#transport(copied));
  }

  #transport({ pinned, optionsFor }: Copied): Transport<unknown> {
    return {
      send: (request) => this.original.call(pinned, optionsFor(request)) as Promise<unknown>,
      answer: ({ body }) => body,
      response: responseOf,
      neverConnected: isNoConnection,
    };
  }

  async #templates(wire: WireRequest): Promise<Readonly<Record<string, TemplateText>> | undefined> {
    const named = templateOf(transmissionOf(wire));
    if (!named) return undefined;
    const options = {
      uri: `templates/${encodeURIComponent(named.id)}`,
      method: "GET",
      json: true,
      qs: { draft: named.draft },
    };
    const copied = copyRequest(this.client, options, this.gate.limits);
    // What cannot be read stays unbound; the guards see that.
    const text = await this.gate.pass(codecCall(sparkpostCodec, copied.wire, this.#transport(copied))).then(
      (answer) => readTemplate(answer as Plain),
      () => undefined,
    );
    return text && { [named.id]: text };
  }
}

/** The codec, with a reason to refuse while the `request` package is told to do something else on the way. */
function withSettings(unknown: readonly string[]): Codec {
  if (unknown.length === 0) return sparkpostCodec;
  const problems: Refusal[] = unknown.map((name) => ({
    code: "FIELD_UNKNOWN",
    message: "Expected options of a request that leave it as it is, got another one.",
    fix: "Take it out of the options.",
    where: `options.${/^\w{1,40}$/.test(name) ? name : "[…]"}`,
  }));
  return {
    ...sparkpostCodec,
    classify(request) {
      const intent = sparkpostCodec.classify(request);
      if (intent.kind === "read" || intent.kind === "management")
        return { kind: "unknown", what: "a request with unknown options", problems };
      return { ...intent, problems: [...(intent.problems ?? []), ...problems] };
    },
  };
}

/** The SDK gives the body of an answer alone, and of a failed one the status and the errors. */
function responseOf(settled: { readonly result: unknown } | { readonly error: unknown }): WireResponse | undefined {
  if ("result" in settled) return { status: 200, headers: {}, body: settled.result as Plain };
  const { statusCode, errors } = (settled.error ?? {}) as { statusCode?: unknown; errors?: unknown };
  if (typeof statusCode !== "number") return undefined;
  return { status: statusCode, headers: {}, body: { errors: errors as Plain } };
}
