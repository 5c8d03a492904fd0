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
import {
  type Adapter,
  type Attachment,
  accountOfKey,
  attachHooked,
  type ClientNames,
  checkedCall,
  type Gate,
  hookMethod,
  type Refusal,
  strangersMail,
  unsupported,
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

const names: ClientNames = {
  expected: "a ServerClient or an AccountClient of the package postmark",
  short: "Postmark client",
};

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
      if (!isPostmark(client)) throw unsupported(names, "another object");
      return attachTo(client, gate, resolveTemplates);
    },
  };
}

function attachTo(client: PostmarkInternals, gate: Gate, resolveTemplates: boolean): Attachment {
  const { httpClient } = client;
  const hook = hookMethod(httpClient, "httpRequest", mark, (_stranger, args) => judge(args, gate));
  if (!hook) throw unsupported(names, "a client whose httpRequest other code has replaced");
  const wire = new Wire(httpClient);
  const calls = new PostmarkCalls(client, hook.original, wire, gate, resolveTemplates);
  const verify = (): Refusal | undefined => {
    if (client.httpClient !== httpClient) return replaced("its httpClient was replaced");
    return hook.holds(httpClient) ? wire.changed() : replaced("httpRequest was replaced by other code");
  };
  const call = checkedCall(verify, (args: readonly unknown[]) => calls.request(args));
  return attachHooked({
    gate,
    holds: [{ hook, object: httpClient, call }],
    entrances: [[client, ["processHttpRequest"]]],
    undo: [() => wire.close()],
    account: accountOf(client),
    verify,
    revive: (spooled) => calls.revive(spooled),
  });
}

/** A client that no fuse holds may do anything but mail; what was looked at is what leaves. */
function judge(args: readonly unknown[], gate: Gate): Refusal | readonly unknown[] {
  const copied = copyArguments(args, gate.limits);
  const { kind } = postmarkCodec.classify(wireOf(copied));
  if (kind === "send" || kind === "system") return strangersMail(names.short);
  const [method, path, query, body, headers] = copied;
  return [method, path, query, body ?? null, headers];
}

function accountOf(client: PostmarkInternals): string {
  return accountOfKey(String(client.authHeader).includes("Account") ? "account" : "server", client.token);
}
