/**
 * Makes and passes the calls of one attached Brevo client. One call of the SDK may make several
 * attempts; they share one decision and one reservation.
 *
 * @module
 */
import {
  asRecord,
  asText,
  type Call,
  type Commit,
  codecCall,
  decodeWire,
  type Fate,
  field,
  type Gate,
  MailfuseError,
  type Plain,
  type TemplateText,
  type WireRequest,
  type WireResponse,
  watchFetch,
} from "../../src/adapter";
import { brevoCodec, isSend } from "./codec";
import { templateOf } from "./messages";
import { answerOf, type Copied, copyRequest, type Fetch, type FetchInit, readAnswer } from "./requests";

type Settled = { readonly result: unknown } | { readonly error: unknown };

/** What the calls use of a client. */
export interface Wiring {
  /** The client's own `fetch`, below the fuse. */
  fetch(): Fetch;
  /** Where the client's requests go. */
  base(): unknown;
  /** The headers of a request by the client itself, key included. */
  headers(): Promise<Record<string, string>>;
}

/** The calls of one client. */
export class BrevoCalls {
  constructor(
    readonly wiring: Wiring,
    readonly gate: Gate,
    readonly resolveTemplates: boolean,
  ) {}

  /** Runs one call of the SDK, which makes its requests with the `fetch` it is given. */
  async run(work: (fetch: Fetch) => unknown): Promise<unknown> {
    const attempts = new Attempts(this);
    const sdk = (async () => work(attempts.fetch))();
    const settled: Settled = await sdk.then(
      (result) => ({ result }),
      (error: unknown) => ({ error }),
    );
    return attempts.finish(settled);
  }

  revive(spooled: Uint8Array): Call {
    const wire = decodeWire(spooled);
    let answer: WireResponse | undefined;
    let unconnected = (): boolean => false;
    let permit = "";
    const call = codecCall<unknown>(brevoCodec, wire, {
      send: async (request) => {
        const url = `${String(await resolve(this.wiring.base())).replace(/\/$/, "")}${targetOf(request)}`;
        const headers = { ...(await this.wiring.headers()), ...Object.fromEntries(request.headers) };
        const init = { method: request.method, headers, body: bodyFor(request, permit) };
        const { result, neverConnected } = watchFetch(() => this.wiring.fetch()(url, init));
        unconnected = neverConnected;
        answer = await readAnswer(await result);
        if (answer.status >= 200 && answer.status < 300) return answer.body;
        throw new Error(`Expected Brevo to take a spooled mail, got status ${answer.status}.`);
      },
      answer: ({ body }) => body,
      response: () => answer,
      neverConnected: () => unconnected(),
    });
    return withCommit(call, (commit) => async (previous) => {
      const granted = await commit(previous);
      permit = granted.reservation;
      return granted;
    });
  }

  /** The text of the template a mail names, read from Brevo; what cannot be read stays unbound. */
  async templates({ wire, url }: Copied): Promise<Readonly<Record<string, TemplateText>> | undefined> {
    const id = wire.body.kind === "json" && isSend(wire) ? templateOf(wire.body.value) : undefined;
    if (!this.resolveTemplates || id === undefined) return undefined;
    const from = url.replace(/\/smtp\/email\/?$/i, `/smtp/templates/${encodeURIComponent(id)}`);
    if (from === url) return undefined;
    try {
      const headers = await this.wiring.headers();
      const text = readTemplate((await readAnswer(await this.wiring.fetch()(from, { method: "GET", headers }))).body);
      return text && { [id]: text };
    } catch {
      return undefined;
    }
  }
}

/** The attempts of one call: the first asks the gate, the others ask for another commit. */
class Attempts {
  readonly #calls: BrevoCalls;
  #first: Copied | undefined;
  #judged: Promise<unknown> | undefined;
  #send: ((attempt: FetchInit) => Promise<Response>) | undefined;
  #again: (() => Promise<unknown>) | undefined;
  #answer: WireResponse | undefined;
  #unconnected = (): boolean => false;
  #finish: (settled: Settled) => void = () => {};
  readonly #finished = new Promise<Settled>((done) => {
    this.#finish = done;
  });

  constructor(calls: BrevoCalls) {
    this.#calls = calls;
  }

  readonly fetch: Fetch = async (input, init = {}) => {
    if (this.#first) return this.#repeat(input, init);
    return new Promise<Response>((resolveFirst, rejectFirst) => {
      this.#judged = this.#judge(input, init, resolveFirst, rejectFirst);
      this.#judged.then((given) => {
        if (!this.#send) resolveFirst(given as Response);
      }, rejectFirst);
    });
  };

  /** What the caller gets: the gate's word where there was one, else what the SDK made of it. */
  async finish(settled: Settled): Promise<unknown> {
    this.#finish(settled);
    const given = await this.#judged;
    if (this.#send) return given;
    if ("error" in settled) throw settled.error;
    return settled.result;
  }

  async #judge(
    input: unknown,
    init: FetchInit,
    answered: (response: Response) => void,
    failed: (error: unknown) => void,
  ): Promise<unknown> {
    const base = await resolve(this.#calls.wiring.base());
    const copied = copyRequest(base, input, init, this.#calls.gate.limits);
    this.#first = copied;
    const templates = await this.#calls.templates(copied);
    const wire = templates ? { ...copied.wire, templates } : copied.wire;
    const call = codecCall<unknown>(brevoCodec, wire, {
      send: async (request) => {
        this.#send = (attempt) => this.#wire(request, attempt);
        this.#send(init).then(answered, failed);
        // The SDK decides how it goes on; the mail's outcome is known when it is through.
        const settled = await this.#finished;
        if ("error" in settled) throw settled.error;
        return settled.result;
      },
      answer: answerOf,
      response: () => this.#answer,
      neverConnected: () => this.#unconnected(),
    });
    return this.#calls.gate.pass(withCommit(call, (commit) => this.#committing(commit)));
  }

  #reservation: string | undefined;

  #committing(commit: Commit): Commit {
    const granted: Commit = async (previous) => {
      const permit = await commit(previous);
      this.#reservation = permit.reservation;
      return permit;
    };
    this.#again = () => granted(this.#fate());
    return granted;
  }

  #fate(): Fate {
    const request = this.#first?.wire;
    if (request && this.#answer) return brevoCodec.outcome(request, this.#answer).fate;
    return this.#unconnected() ? "failed" : "unknown";
  }

  async #repeat(input: unknown, init: FetchInit): Promise<Response> {
    const { url, init: was } = this.#first as Copied;
    const same = String(input) === url && init.method === was.method && init.body === was.body;
    if (!same || !this.#send) throw changedOnTheWay();
    // Reads and management have no commit, and may be tried as the SDK likes.
    await this.#again?.();
    return this.#send(init);
  }

  async #wire(request: WireRequest, attempt: FetchInit): Promise<Response> {
    const { url, headers, init } = this.#first as Copied;
    const body = request.body.kind === "json" ? bodyFor(request, this.#reservation) : init.body;
    this.#answer = undefined;
    const settings = { ...init, signal: attempt.signal, method: request.method, headers, body };
    const { result, neverConnected } = watchFetch(() => this.#calls.wiring.fetch()(url, settings));
    this.#unconnected = neverConnected;
    const response = await result;
    if (isSend(request)) this.#answer = await readAnswer(response);
    else this.#answer = { status: response.status, headers: {}, body: undefined };
    return response;
  }
}

/** The same call with its commits watched. */
function withCommit(call: Call, watched: (commit: Commit) => Commit): Call {
  return {
    ...call,
    deliver: (commit) => call.deliver(watched(commit)),
    redirect: async (to, note) => withCommit(await call.redirect(to, note), watched),
  };
}

/** The body; a mail without an idempotency key of its own gets the reservation's. */
function bodyFor(request: WireRequest, reservation: string | undefined): string | undefined {
  const { body } = request;
  if (body.kind !== "json") return undefined;
  const mail = asRecord(body.value);
  if (!mail || !reservation || !isSend(request)) return JSON.stringify(body.value);
  const headers = asRecord(mail.headers) ?? {};
  const own = Object.keys(headers).some((name) => /^idempotency-?key$/i.test(name));
  return JSON.stringify(own ? mail : { ...mail, headers: { ...headers, "Idempotency-Key": reservation } });
}

function targetOf({ path, query }: WireRequest): string {
  const search = new URLSearchParams();
  for (const [name, value] of query) search.append(name, value);
  return `${path.split("/").map(encodeURIComponent).join("/")}${query.length > 0 ? `?${search}` : ""}`;
}

/** A value of the SDK's options, which may be a function or a promise. */
async function resolve(value: unknown): Promise<unknown> {
  return typeof value === "function" ? (value as () => unknown)() : value;
}

/** Reads `GET /smtp/templates/{id}` (https://developers.brevo.com/reference/get-smtp-template). */
function readTemplate(body: Plain): TemplateText | undefined {
  const html = asText(field(body, "htmlContent"));
  const subject = asText(field(body, "subject"));
  if (html === undefined) return undefined;
  return { html, ...(subject === undefined ? {} : { subject }) };
}

function changedOnTheWay(): MailfuseError {
  return new MailfuseError({
    code: "REQUEST_UNKNOWN",
    message: "Expected a further attempt of the request that was judged, got another request in its place.",
    fix: "Make each request with a call of its own.",
  });
}
