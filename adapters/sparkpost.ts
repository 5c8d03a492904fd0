/**
 * SparkPost: the `sparkpost` package, from `mailfuse/sparkpost`.
 *
 * ```ts
 * import SparkPost from "sparkpost";
 * import { sparkpostAdapter } from "mailfuse/sparkpost";
 *
 * const sparkpost = new SparkPost(process.env.SPARKPOST_API_KEY);
 * fuse.attach(sparkpost, sparkpostAdapter());
 * ```
 *
 * The choke point is `request`, in its class: every method of every part ends there with the request that
 * would really leave, and other clients of the class are known as strangers. Their mail is refused, or passes
 * with `unattached: "pass"`; their other calls pass untouched. Callbacks are told of refusals as promises are.
 *
 * A transmission to a stored list (`recipients: { list_id }`) is refused unless the list is declared under
 * `audiences`.
 *
 * API: https://developers.sparkpost.com/api
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
  replaced,
  strangersMail,
  unsupported,
} from "../src/adapter";
import { SparkpostCalls } from "./sparkpost/calls";
import { mayMail } from "./sparkpost/codec";
import { copyRequest, type SparkpostInternals } from "./sparkpost/requests";

export { sparkpostCodec } from "./sparkpost/codec";

/** A `SparkPost`. */
export interface SparkpostClient {
  readonly transmissions: object;
  readonly suppressionList: object;
  request(options: never): unknown;
}

/** Options of {@link sparkpostAdapter}. */
export interface SparkpostOptions {
  /**
   * Reads the text of templates from SparkPost before each transmission that names one, so that guards and
   * plans see it. Costs one request per such transmission. A/B tests stay unbound.
   *
   * @default false
   */
  readonly resolveTemplates?: boolean;
}

const names: ClientNames = {
  expected: "a client of the package sparkpost",
  short: "SparkPost client",
};

const mark = Symbol.for("mailfuse.sparkpost.request");

/**
 * The adapter for clients of `sparkpost` 2.
 *
 * @example
 * ```ts
 * fuse.attach(sparkpost, sparkpostAdapter({ resolveTemplates: true }));
 * ```
 * @throws MailfuseError `ATTACH_UNSUPPORTED` from `attach` for other objects, and for clients whose
 * `request` other code has replaced.
 */
export function sparkpostAdapter(options: SparkpostOptions = {}): Adapter<SparkpostClient> {
  const resolveTemplates = options.resolveTemplates ?? false;
  return {
    name: "sparkpost",
    attach(client, gate) {
      if (!isSparkpost(client)) throw unsupported(names, "another object");
      return attachTo(client, gate, resolveTemplates);
    },
  };
}

function attachTo(client: SparkpostInternals, gate: Gate, resolveTemplates: boolean): Attachment {
  const hook = hookMethod(client, "request", mark, (stranger, args) =>
    judge(stranger as SparkpostInternals, args, gate),
  );
  if (!hook) throw unsupported(names, "a client whose request other code has replaced");
  const calls = new SparkpostCalls(client, hook.original, gate, resolveTemplates);
  const parts = partsOf(client);
  const verify = (): Refusal | undefined => {
    if (!hook.holds(client)) return replaced(names, "request was replaced by other code");
    const now = partsOf(client);
    return now.length === parts.length && parts.every((part) => now.includes(part))
      ? undefined
      : replaced(names, "a part of it was replaced");
  };
  const call = checkedCall(verify, (options: object) => calls.request(options));
  return attachHooked({
    gate,
    holds: [
      {
        hook,
        object: client,
        call: (args) => (isOptions(args[0]) ? tell(call(args[0]), args[1]) : hook.original.apply(client, [...args])),
      },
    ],
    entrances: [[client, ["get", "post", "put", "delete"]]],
    account: accountOfKey("key", client.apiKey),
    verify,
    revive: (spooled) => calls.revive(spooled),
  });
}

// What is no object, the SDK throws at.
function isOptions(options: unknown): options is object {
  return typeof options === "object" && options !== null && !Array.isArray(options);
}

/** As the SDK does it: the promise, and the callback too; one that throws is told so. */
function tell(promise: Promise<unknown>, callback: unknown): Promise<unknown> {
  const told = typeof callback === "function" ? callback : () => {};
  promise.then((result) => told(null, result)).catch((error: unknown) => told(error));
  return promise;
}

/** A client that no fuse holds may do anything but mail; what was looked at is what leaves. */
function judge(stranger: SparkpostInternals, args: readonly unknown[], gate: Gate): Refusal | readonly unknown[] {
  const [options, callback] = args;
  if (!isOptions(options)) return args;
  const copied = copyRequest(stranger, options, gate.limits);
  // A HAR replaces the whole request.
  if (mayMail(copied.wire) || copied.unknown.includes("har")) return strangersMail(names.short);
  const others = Object.entries(options).filter(([name]) => copied.unknown.includes(name));
  // Forms and streams can be read once only; they leave as they came.
  const raw = copied.wire.body.kind === "bytes" ? { body: (options as { body?: unknown }).body } : {};
  return [{ ...Object.fromEntries(others), ...copied.optionsFor(copied.wire), ...raw }, callback];
}

function isSparkpost(client: object): client is SparkpostInternals {
  const { request, origin, apiVersion, transmissions, defaultHeaders } = client as Record<string, unknown>;
  return (
    typeof request === "function" &&
    typeof origin === "string" &&
    typeof apiVersion === "string" &&
    typeof transmissions === "object" &&
    typeof defaultHeaders === "object"
  );
}

/** `transmissions`, `templates` and the rest: each was made for one client, which it does not show. */
function partsOf(client: object): object[] {
  return Object.entries(client).flatMap(([name, part]) =>
    typeof part === "object" && part !== null && name !== "defaultHeaders" ? [part as object] : [],
  );
}
