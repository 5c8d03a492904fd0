/**
 * Calls of one attached client: judged once the SDK has written the body, before it is signed, and looked
 * at again at the last step, each time the pipeline tries.
 *
 * @module
 */
import { AsyncLocalStorage } from "node:async_hooks";
import {
  assertCleanPrototypes,
  type Call,
  type Codec,
  decodeWire,
  encodeWire,
  type Fate,
  type Gate,
  type Intent,
  MailfuseError,
  type Outcome,
  type Plain,
  type Refusal,
  readJson,
  type WireRequest,
} from "../../src/adapter";
import { Attempts } from "./attempts";
import { azureCodec } from "./codec";
import {
  fingerprintOf,
  headersLike,
  isDiverted,
  type PipelineRequest,
  type PipelineResponse,
  pin,
  requestFrom,
  wireOf,
} from "./requests";

export type Next = (request: PipelineRequest) => Promise<PipelineResponse>;

/** What sends. */
export interface HttpClient {
  sendRequest: Next;
}

/** A step of the pipeline. */
export interface Policy {
  readonly name: string;
  sendRequest(request: PipelineRequest, next: Next): Promise<PipelineResponse>;
}

/** What the adapter uses of a pipeline. */
export interface Pipeline {
  getOrderedPolicies(): readonly Policy[];
  sendRequest(httpClient: HttpClient, request: PipelineRequest): Promise<PipelineResponse>;
}

/** What the adapter uses of the REST client inside. */
export interface RestClient {
  readonly endpoint: string;
  readonly pipeline: Pipeline;
  readonly _httpClient: HttpClient;
  readonly _allowInsecureConnection?: boolean;
  readonly email: object;
  sendRequest(request: PipelineRequest): Promise<PipelineResponse>;
}

// Writes the body; whatever comes later signs it, and tries again.
const serializing = "serializationPolicy";

/** Puts a copy on its way, with its attempts. */
type Send = (wire: WireRequest, attempts: Attempts | undefined) => Promise<PipelineResponse>;

/** Makes and passes the calls of one client. */
export class AzureCalls {
  readonly #attempts = new WeakMap<PipelineRequest, Attempts>();
  readonly #reviving = new AsyncLocalStorage<{ attempts: Attempts | undefined; used: boolean }>();

  constructor(
    private readonly client: RestClient,
    private readonly gate: Gate,
    private readonly verify: () => Refusal | undefined,
  ) {}

  /** Stands in for the pipeline's `sendRequest`: the same steps, with two looks at what goes through. */
  async request(httpClient: HttpClient, request: PipelineRequest): Promise<PipelineResponse> {
    const problem = this.verify();
    if (problem) throw new MailfuseError(problem);
    const policies = this.client.pipeline.getOrderedPolicies();
    const at = policies.findIndex(({ name }) => name === serializing) + 1;
    const judge: Policy = { name: "mailfuse", sendRequest: (one, next) => this.#judge(one, next) };
    const last: Next = (one) => this.#last(one, httpClient);
    return [...policies.slice(0, at), judge, ...policies.slice(at)].reduceRight<Next>(
      (next, policy) => (one) => policy.sendRequest(one, next),
      last,
    )(request);
  }

  revive(spooled: Uint8Array): Call {
    const wire = decodeWire(spooled);
    const { client } = this;
    const send: Send = (copy, attempts) =>
      this.#reviving.run({ attempts, used: false }, () =>
        client.sendRequest(requestFrom(copy, client.endpoint, client._allowInsecureConnection ?? false)),
      );
    const made = requestFrom(wire, client.endpoint, false);
    return this.#call(wire, made, send) as Call;
  }

  async #judge(request: PipelineRequest, next: Next): Promise<PipelineResponse> {
    const revived = this.#reviving.getStore();
    if (revived && !revived.used) {
      revived.used = true;
      return this.#with(request, revived.attempts, next);
    }
    assertCleanPrototypes();
    const given = this.#wireOf(request);
    const wire = azureCodec.rewrite?.(given) ?? given;
    const send: Send = (copy, attempts) => {
      if (attempts && copy.body.kind === "json") request.body = JSON.stringify(copy.body.value);
      return this.#with(request, attempts, next);
    };
    return this.gate.pass(this.#call(wire, request, send));
  }

  async #with(request: PipelineRequest, attempts: Attempts | undefined, next: Next): Promise<PipelineResponse> {
    if (!attempts) return next(request);
    this.#attempts.set(request, attempts);
    try {
      return await next(request);
    } finally {
      if (this.#attempts.get(request) === attempts) this.#attempts.delete(request);
    }
  }

  /** The last look: what leaves is what was judged. */
  async #last(request: PipelineRequest, httpClient: HttpClient): Promise<PipelineResponse> {
    const pinned = pin(request);
    const wire = this.#wireOf(pinned);
    const send = async (): Promise<PipelineResponse> => {
      const answer = await httpClient.sendRequest(pinned);
      // The policies before this one know the request by the object.
      answer.request = request;
      return answer;
    };
    if (isDiverted(pinned)) throw new MailfuseError(altered);
    const { kind } = azureCodec.classify(wire);
    if (kind === "read" || kind === "management") return send();
    const attempts = this.#attempts.get(request);
    if (!attempts || fingerprintOf(pinned, wire) !== attempts.fingerprint) throw new MailfuseError(altered);
    return attempts.attempt(send);
  }

  #wireOf(request: PipelineRequest): WireRequest {
    return wireOf(request, this.client.endpoint, this.gate.limits);
  }

  #call(wire: WireRequest, like: PipelineRequest, send: Send): Call<PipelineResponse> {
    const intent = azureCodec.classify(wire);
    let attempts: Attempts | undefined;
    return {
      intent,
      async deliver(commit) {
        if (!isGuarded(intent)) return send(wire, undefined);
        attempts = new Attempts(fingerprintOf(like, wire), commit);
        return send(wire, attempts);
      },
      simulate: () => simulated(azureCodec, wire, like),
      outcome: (settled) => outcomeFrom(wire, attempts?.fates ?? [], settled),
      redirect: async (to, note) => this.#call(azureCodec.redirect(wire, to, note), like, send),
      spool: () => encodeWire(wire),
    };
  }
}

function isGuarded({ kind }: Intent): boolean {
  return kind !== "read" && kind !== "management";
}

/** As the SDK's own steps leave an answer: read, and with the request it is to. */
function simulated(codec: Codec, wire: WireRequest, request: PipelineRequest): PipelineResponse {
  const { headers, body } = codec.simulate(wire);
  const answer = {
    request,
    // 202 would have the SDK ask how it goes on.
    status: 200,
    headers: headersLike(request.headers, headers),
    bodyAsText: JSON.stringify(body),
    parsedBody: body,
    parsedHeaders: {},
  };
  return answer;
}

function outcomeFrom(
  wire: WireRequest,
  fates: readonly Fate[],
  settled: { readonly result: PipelineResponse } | { readonly error: unknown },
): Outcome {
  const earlier = fates.slice(0, -1).includes("unknown");
  if ("result" in settled) {
    const { status, bodyAsText, parsedBody } = settled.result;
    const body = typeof bodyAsText === "string" ? readJson(bodyAsText) : (parsedBody as Plain);
    const outcome = azureCodec.outcome(wire, { status, headers: {}, body });
    return earlier && outcome.fate !== "accepted" ? { fate: "unknown" } : outcome;
  }
  const { code, statusCode } = (settled.error ?? {}) as { code?: unknown; statusCode?: unknown };
  const last = fates.at(-1) ?? "unknown";
  const named = typeof code === "string" && /^\w{1,60}$/.test(code) ? code : undefined;
  const providerCode = named ?? (typeof statusCode === "number" ? `http_${statusCode}` : undefined);
  return {
    // Accepted, and yet an error: the answer could not be read.
    fate: earlier || last === "accepted" ? "unknown" : last,
    ...(providerCode === undefined ? {} : { providerCode }),
  };
}

const altered: Refusal = {
  code: "CHOKE_POINT_CHANGED",
  message: "Expected the request to leave as it was judged, got another one: a policy of the pipeline changed it.",
  fix: "Change the message before it is sent, not in a policy.",
};
