/**
 * Calls of one attached SES client: from a command's input to a copy, and from the copy back to the
 * client.
 *
 * @module
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { isDeepStrictEqual } from "node:util";
import {
  assertCleanPrototypes,
  asText,
  bufferStreams,
  type Call,
  type Commit,
  decodeWire,
  encodeWire,
  type Fate,
  fateOfStatus,
  field,
  findStreams,
  type Gate,
  isNoConnection,
  MailfuseError,
  type Outcome,
  type Plain,
  snapshot,
  systemClock,
} from "../../src/adapter";
import {
  type Answer,
  type Args,
  type ChokePoint,
  type Context,
  fingerprintOf,
  type HttpAnswer,
  type Next,
  type SesClient,
  type Ticket,
} from "./choke-point";
import { classify, outcomeOf, rewrite, simulated } from "./codec";
import { v1Operations, v2Operations } from "./operations";
import { redirectRequest } from "./redirect";
import { templateTexts } from "./templates";
import { readWire, type SesRequest, withBinary, writeWire } from "./wire";

/** Puts a copied input on its way, with its ticket. */
type Send = (input: Plain, ticket: Ticket | undefined) => Promise<Answer>;

/** What the calls of one client need. */
export interface SesCallsOptions {
  readonly client: SesClient;
  readonly version: "v1" | "v2";
  readonly choke: ChokePoint;
  readonly gate: Gate;
  readonly sdk: object | undefined;
  readonly resolveTemplates: boolean;
}

/** Makes and passes the calls of one client. */
export class SesCalls {
  readonly #options: SesCallsOptions;
  readonly #commands = new Map<string, new (input: Plain) => object>();
  readonly #reviving = new AsyncLocalStorage<{ input: Plain; ticket: Ticket | undefined; used: boolean }>();

  constructor(options: SesCallsOptions) {
    this.#options = options;
  }

  /** The middleware's body. */
  readonly initialize = async (next: Next, context: Context, args: Args): Promise<Answer> => {
    const { choke, gate, version } = this.#options;
    const problem = choke.inPlace();
    if (problem) throw new MailfuseError(problem);
    const operation = String(context.commandName ?? "").replace(/Command$/, "");
    const revived = this.#reviving.getStore();
    if (revived && !revived.used) {
      revived.used = true;
      return next(
        revived.ticket ? choke.issue(args, revived.input, revived.ticket) : { ...args, input: revived.input },
      );
    }
    const kind = (version === "v2" ? v2Operations : v1Operations).get(operation);
    if (kind === "read") return gate.pass(readCall(() => next(args)));
    this.#learn(operation, context);
    assertCleanPrototypes();
    const copied = snapshot(args.input, gate.limits);
    // Asynchronous only where it has to be: callers that change their input right after the call are common.
    if (findStreams(copied).length > 0) await bufferStreams(copied, { clock: systemClock, bytes: gate.limits.bytes });
    const input = withBinary(copied, (text) => Buffer.from(text, "utf8"));
    const request = rewrite({ version, operation, input });
    const templates = this.#options.resolveTemplates ? await this.#templates(request) : undefined;
    const send: Send = (copy, ticket) => next(ticket ? choke.issue(args, copy, ticket) : { ...args, input: copy });
    return gate.pass(this.#call(templates ? { ...request, templates } : request, send));
  };

  revive(spooled: Uint8Array): Call {
    const request = readWire(decodeWire(spooled));
    const { client, version } = this.#options;
    const make = this.#maker(request.operation);
    if (!make || request.version !== version) {
      throw new MailfuseError({
        code: "ATTACH_UNSUPPORTED",
        message: `Expected an SES client that can make the planned operation, got one whose command is not known in this process.`,
        fix: 'Pass the package: `import * as sdk from "@aws-sdk/client-sesv2"; sesAdapter({ sdk })`.',
      });
    }
    const send: Send = async (input, ticket) => ({
      output: await this.#reviving.run({ input, ticket, used: false }, () => make(client, input)),
    });
    return this.#call(request, send) as Call;
  }

  #call(request: SesRequest, send: Send): Call<Answer> {
    const intent = classify(request);
    const { choke } = this.#options;
    let attempts: Attempts | undefined;
    return {
      intent,
      async deliver(commit) {
        if (intent.kind === "management") return send(request.input, undefined);
        // The wire knows nothing of texts that were resolved here.
        attempts = new Attempts(withoutTemplates(request), commit);
        try {
          return await send(request.input, attempts);
        } finally {
          choke.forget(attempts);
        }
      },
      simulate: () => ({
        response: { statusCode: 200, headers: {} },
        output: { ...simulated(request), $metadata: metadata },
      }),
      outcome: (settled) => outcomeFrom(request, attempts?.fates ?? [], settled),
      redirect: async (to, note) => this.#call(redirectRequest(request, to, note), send),
      spool: () => encodeWire(writeWire(request)),
    };
  }

  /** Remembers the class of a command, so that its like can be made again. */
  #learn(operation: string, context: Context): void {
    const type = context.__smithy_context?.commandInstance?.constructor;
    if (type && type !== Object) this.#commands.set(operation, type as new (input: Plain) => object);
  }

  /** Makes a command: from the package, by its class seen before, or by the aggregated client's method. */
  #maker(operation: string): ((client: SesClient, input: Plain) => Promise<object>) | undefined {
    const given = (this.#options.sdk as Record<string, unknown> | undefined)?.[`${operation}Command`];
    const type = (typeof given === "function" ? given : this.#commands.get(operation)) as
      | (new (
          input: Plain,
        ) => object)
      | undefined;
    if (type) return (client, input) => client.send(new type(input));
    const method = `${operation.slice(0, 1).toLowerCase()}${operation.slice(1)}`;
    const own = (this.#options.client as unknown as Record<string, unknown>)[method];
    if (operation === "" || typeof own !== "function") return undefined;
    return (client, input) => (own as (input: Plain) => Promise<object>).call(client, input);
  }

  async #templates(request: SesRequest): Promise<SesRequest["templates"]> {
    const { input, version } = request;
    const template = field(field(input, "Content"), "Template") ?? field(field(input, "DefaultContent"), "Template");
    const id = asText(version === "v2" ? field(template, "TemplateName") : field(input, "Template"));
    const make = this.#maker(version === "v2" ? "GetEmailTemplate" : "GetTemplate");
    if (id === undefined || !make) return undefined;
    // What cannot be read stays unbound; the guards see that.
    const output = await make(this.#options.client, { TemplateName: id }).catch(() => undefined);
    const texts = output && templateTexts(output);
    return texts && { [id]: texts };
  }
}

function withoutTemplates({ version, operation, input }: SesRequest): SesRequest {
  return { version, operation, input };
}

/** All attempts that the SDK makes for one command. */
class Attempts implements Ticket {
  readonly fates: Fate[] = [];
  readonly #request: SesRequest;
  readonly #commit: Commit;
  #refusal: { readonly error: unknown } | undefined;

  constructor(request: SesRequest, commit: Commit) {
    this.#request = request;
    this.#commit = commit;
  }

  says(wire: SesRequest, method: string): boolean {
    const { version, operation, input } = this.#request;
    const same = method === "POST" && wire.version === version && wire.operation === operation;
    // Nearly always the SDK writes just what it was given, and what is equal reads equal.
    if (same && isDeepStrictEqual(wire.input, input)) return true;
    const intent = classify(wire, method);
    if (intent.kind === "read" || intent.kind === "management") return false;
    return fingerprintOf(intent) === fingerprintOf(classify(this.#request));
  }

  async attempt(send: () => Promise<HttpAnswer>): Promise<HttpAnswer> {
    // The SDK takes some errors for reasons to try again; a refusal stays one.
    if (this.#refusal) throw this.#refusal.error;
    try {
      await this.#commit(this.fates.at(-1));
    } catch (error) {
      this.#refusal = { error };
      throw error;
    }
    try {
      const answer = await send();
      this.fates.push(fateOfStatus(answer.response.statusCode));
      return answer;
    } catch (error) {
      this.fates.push(isNoConnection(error) ? "failed" : "unknown");
      throw error;
    }
  }
}

function outcomeFrom(
  request: SesRequest,
  fates: readonly Fate[],
  settled: { readonly result: Answer } | { readonly error: unknown },
): Outcome {
  const earlier = fates.slice(0, -1).includes("unknown");
  if ("result" in settled) {
    const outcome = outcomeOf(request, settled.result.output as Plain);
    return earlier && outcome.fate !== "accepted" ? { fate: "unknown" } : outcome;
  }
  const name = (settled.error as { name?: unknown } | null)?.name;
  const last = fates.at(-1) ?? "unknown";
  // Accepted, and yet an error: the answer could not be read.
  const fate = earlier || last === "accepted" ? "unknown" : last;
  return { fate, ...(typeof name === "string" && /^\w{1,60}$/.test(name) ? { providerCode: name } : {}) };
}

function readCall(next: () => Promise<Answer>): Call<Answer> {
  const mailsNobody = (): never => {
    throw new MailfuseError({ code: "INTERNAL", message: "Expected a mail, got a read." });
  };
  return {
    intent: { kind: "read" },
    deliver: next,
    simulate: mailsNobody,
    outcome: () => ({ fate: "unknown" }),
    redirect: async () => mailsNobody(),
    spool: mailsNobody,
  };
}

const metadata = {
  httpStatusCode: 200,
  requestId: "mailfuse-simulated",
  extendedRequestId: undefined,
  cfId: undefined,
  attempts: 1,
  totalRetryDelay: 0,
};
