/**
 * Makes and passes the calls of one attached client.
 *
 * @module
 */
import {
  asList,
  asText,
  type Call,
  type Commit,
  codecCall,
  decodeWire,
  type Fate,
  field,
  type Gate,
  isNoConnection,
  MailfuseError,
  type Plain,
  readJson,
  type TemplateText,
  type WireRequest,
  type WireResponse,
  watchFetch,
} from "../../src/adapter";
import { customerioCodec, isMail } from "./codec";
import { templateOf } from "./messages";
import { addressOf, type Copied, copyOptions, locateIn, type Root } from "./requests";

type Method = (this: object, ...args: unknown[]) => unknown;

/** `client.request`. */
export interface Requests {
  readonly auth: unknown;
  readonly defaults: unknown;
  /** Since 5: one attempt; `handler` tries again. Before, `handler` made the only one. */
  readonly execute?: unknown;
  handler: unknown;
  options(uri: string, method: string): { headers: Record<string, unknown> };
}

/** The calls of one client. */
export class CustomerioCalls {
  constructor(
    private readonly request: Requests,
    private readonly original: Method,
    private readonly root: Root,
    private readonly gate: Gate,
    private readonly resolveTemplates: boolean,
  ) {}

  /** Stands in for `handler`. Async, so that a request that cannot be copied rejects. */
  async handle(given: readonly unknown[]): Promise<unknown> {
    const copied = copyOptions(given[0], locateIn(this.root), this.gate.limits);
    const templates = this.resolveTemplates ? await this.#templates(copied.wire) : undefined;
    const wire = templates ? { ...copied.wire, templates } : copied.wire;
    return this.gate.pass(this.#call({ ...copied, wire }));
  }

  revive(spooled: Uint8Array): Call {
    const wire = decodeWire(spooled);
    const uri = addressOf(this.root, wire);
    const { headers } = this.request.options(uri, wire.method);
    const given = { uri, method: wire.method, headers: { ...headers, "Content-Length": 0 }, body: null };
    const { options } = copyOptions(given, locateIn(this.root), this.gate.limits);
    return this.#call({ wire, options });
  }

  #call(copied: Copied): Call {
    const attempts = new Attempts(this.request, this.original);
    const call = codecCall<unknown>(customerioCodec, copied.wire, {
      send: (wire) => attempts.run(copied.options(wire), wire),
      answer: ({ body }) => body,
      response: () => attempts.answer,
      neverConnected: (error) => attempts.neverConnected(error),
    });
    return committing(call, attempts);
  }

  /** The text of the template a mail names, and whom it copies; what cannot be read stays unbound. */
  async #templates(wire: WireRequest): Promise<Readonly<Record<string, TemplateText>> | undefined> {
    const id = isMail(wire) && wire.body.kind === "json" ? templateOf(wire.body.value) : undefined;
    if (id === undefined || !/^[\w-]{1,200}$/.test(id)) return undefined;
    try {
      const uri = addressOf(this.root, { ...wire, path: `${this.root.path}/transactional/${id}/contents`, query: [] });
      const { headers } = this.request.options(uri, "GET");
      const copied = copyOptions({ uri, method: "GET", headers, body: null }, locateIn(this.root), this.gate.limits);
      const text = readContents((await this.gate.pass(this.#call(copied))) as Plain);
      return text && { [id]: text };
    } catch {
      return undefined;
    }
  }
}

/** The attempts of one call: the first was granted, each further one asks again. */
class Attempts {
  answer: WireResponse | undefined;
  #unconnected = (): boolean => false;
  #made = 0;
  #commit: Commit | undefined;

  constructor(
    private readonly request: Requests,
    private readonly original: Method,
  ) {}

  /** The commit that further attempts ask. */
  grant(commit: Commit): void {
    this.#commit = commit;
  }

  neverConnected(error: unknown): boolean {
    return this.#unconnected() || isNoConnection(error);
  }

  /** Has the SDK make the request, as often as it does by itself. */
  async run(options: object, wire: WireRequest): Promise<unknown> {
    const { execute } = this.request as { execute?: Method };
    const attempt = execute ?? this.original;
    const reads = customerioCodec.classify(wire).kind === "read";
    const once = (given: unknown): Promise<unknown> => {
      // The SDK would send the body again, or the answer's text in its place, to wherever the answer says.
      const elsewhere = (next: unknown) => (reads ? once(next) : Promise.reject(new MailfuseError(redirected)));
      const name = execute ? "execute" : "handler";
      const pinned = Object.create(this.request, { [name]: { value: elsewhere } }) as object;
      return attempt.call(pinned, given) as Promise<unknown>;
    };
    if (!execute) return this.#attempt(wire, () => once(options));
    const tried = (given: unknown) => this.#attempt(wire, () => once(given));
    const pinned = Object.create(this.request, { execute: { value: tried }, handler: { value: this.original } });
    return this.original.call(pinned as object, options);
  }

  async #attempt(wire: WireRequest, work: () => Promise<unknown>): Promise<unknown> {
    if (this.#made > 0) await this.#commit?.(this.#fate(wire));
    this.#made += 1;
    this.answer = undefined;
    const { result, neverConnected } = watchFetch(work);
    this.#unconnected = neverConnected;
    try {
      const body = await result;
      this.answer = { status: 200, headers: {}, body: body as Plain };
      return body;
    } catch (error) {
      this.answer = responseOf(error);
      throw error;
    }
  }

  #fate(wire: WireRequest): Fate {
    if (this.answer) return customerioCodec.outcome(wire, this.answer).fate;
    return this.#unconnected() ? "failed" : "unknown";
  }
}

/** The same call, whose further attempts ask for another commit. */
function committing(call: Call, attempts: Attempts): Call {
  return {
    ...call,
    deliver(commit) {
      return call.deliver((previous) => {
        attempts.grant(commit);
        return commit(previous);
      });
    },
    redirect: async (to, note) => committing(await call.redirect(to, note), attempts),
  };
}

function responseOf(error: unknown): WireResponse | undefined {
  const { statusCode, body } = (error ?? {}) as { statusCode?: unknown; body?: unknown };
  if (typeof statusCode !== "number") return undefined;
  return { status: statusCode, headers: {}, body: typeof body === "string" ? readJson(body) : undefined };
}

/** Reads `GET /v1/transactional/{id}/contents`; of several languages nobody here knows which one leaves. */
function readContents(answer: Plain): TemplateText | undefined {
  const [only, ...others] = asList(field(answer, "contents"));
  const html = asText(field(only, "body"));
  if (html === undefined || others.length > 0) return undefined;
  const [subject, text, cc, bcc] = ["subject", "body_plain", "cc", "bcc"].map((name) => asText(field(only, name)));
  return {
    html,
    ...(subject === undefined ? {} : { subject }),
    ...(text === undefined || text === "" ? {} : { text }),
    ...(cc === undefined || cc === "" ? {} : { cc }),
    ...(bcc === undefined || bcc === "" ? {} : { bcc }),
  };
}

const redirected = {
  code: "REQUEST_UNKNOWN",
  message: "Expected an answer, got a redirect, which would send the request again to another place.",
  fix: "Set the client's region or url to where its account is.",
} as const;
