/**
 * Postmark: the `postmark` package, from `mailfuse/postmark`.
 *
 * ```ts
 * import { ServerClient } from "postmark";
 * import { postmarkAdapter } from "mailfuse/postmark";
 *
 * const postmark = new ServerClient(process.env.POSTMARK_TOKEN);
 * fuse.attach(postmark, postmarkAdapter());
 * ```
 *
 * The choke point is `httpClient.httpRequest`, in its class: it outlives `setClientOptions`, and
 * other clients of the class are known as strangers. Their mail is refused, or passes with
 * `unattached: "pass"`; their other calls pass untouched.
 *
 * API: https://postmarkapp.com/developer
 *
 * @module
 */
import { hash } from "node:crypto";
import {
  type Adapter,
  type Attachment,
  type Gate,
  hookMethod,
  MailfuseError,
  type Refusal,
  strangersMail,
  watchEntrances,
} from "../src/adapter";
import { copyArguments, PostmarkCalls, wireOf } from "./postmark/calls";
import { isPostmark, type PostmarkInternals, replaced, Wire } from "./postmark/client";
import { postmarkCodec } from "./postmark/codec";

export { postmarkCodec } from "./postmark/codec";

/** A `ServerClient` or an `AccountClient`. */
export interface PostmarkClient {
  setClientOptions(options: never): void;
  getClientOptions(): object;
}

/** Options of {@link postmarkAdapter}. */
export interface PostmarkOptions {
  /**
   * Reads the text of templates from Postmark before each mail that names one, so that guards and
   * plans see it. Costs one request per template and call. Text within a layout stays unbound.
   *
   * @default false
   */
  readonly resolveTemplates?: boolean;
}

const mark = Symbol.for("mailfuse.postmark.httpRequest");

/**
 * The adapter for `ServerClient` and `AccountClient` of `postmark` 5; it attaches to 3 and later.
 *
 * @example
 * ```ts
 * fuse.attach(postmark, postmarkAdapter({ resolveTemplates: true }));
 * ```
 * @throws MailfuseError `ATTACH_UNSUPPORTED` from `attach` for other objects, and for clients whose
 * `httpRequest` other code has replaced.
 */
export function postmarkAdapter(options: PostmarkOptions = {}): Adapter<PostmarkClient> {
  const resolveTemplates = options.resolveTemplates ?? false;
  return {
    name: "postmark",
    attach(client, gate) {
      if (!isPostmark(client)) throw unsupported("another object");
      return attachTo(client, gate, resolveTemplates);
    },
  };
}

function attachTo(client: PostmarkInternals, gate: Gate, resolveTemplates: boolean): Attachment {
  const { httpClient } = client;
  const hook = hookMethod(httpClient, "httpRequest", mark, (_stranger, args) => judge(args, gate));
  if (!hook) throw unsupported("a client whose httpRequest other code has replaced");
  const wire = new Wire(httpClient);
  const calls = new PostmarkCalls(client, hook.original, wire, gate, resolveTemplates);
  const verify = (): Refusal | undefined => {
    if (client.httpClient !== httpClient) return replaced("its httpClient was replaced");
    return hook.holds(httpClient) ? wire.changed() : replaced("httpRequest was replaced by other code");
  };
  const call = async (args: readonly unknown[]): Promise<unknown> => {
    const problem = verify();
    if (problem) throw new MailfuseError(problem);
    return calls.request(args);
  };
  const leave = hook.enter(httpClient, { call, unattached: gate.unattached });
  const unwatch = watchEntrances(client, ["processHttpRequest"], verify);
  return {
    account: accountOf(client),
    detach() {
      unwatch();
      leave();
      wire.close();
    },
    verify,
    revive: (spooled) => calls.revive(spooled),
  };
}

/** A client that no fuse holds may do anything but mail; what was looked at is what leaves. */
function judge(args: readonly unknown[], gate: Gate): Refusal | readonly unknown[] {
  const copied = copyArguments(args, gate.limits);
  const { kind } = postmarkCodec.classify(wireOf(copied));
  if (kind === "send" || kind === "system") return strangersMail("Postmark client");
  const [method, path, query, body, headers] = copied;
  return [method, path, query, body ?? null, headers];
}

// The first characters of a hash of a random token tell servers apart, and nothing of the token.
function accountOf(client: PostmarkInternals): string {
  const kind = String(client.authHeader).includes("Account") ? "account" : "server";
  return `${kind}-${hash("sha256", String(client.token), "hex").slice(0, 8)}`;
}

function unsupported(got: string): MailfuseError {
  return new MailfuseError({
    code: "ATTACH_UNSUPPORTED",
    message: `Expected a ServerClient or an AccountClient of the package postmark, got ${got}.`,
    fix: "Pass what its constructor gives, before other code patches it.",
  });
}
