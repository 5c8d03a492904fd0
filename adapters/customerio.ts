/**
 * Customer.io: the `customerio-node` package, from `mailfuse/customerio`.
 *
 * ```ts
 * import { APIClient } from "customerio-node";
 * import { customerioAdapter } from "mailfuse/customerio";
 *
 * const customerio = new APIClient(process.env.CUSTOMERIO_APP_KEY);
 * fuse.attach(customerio, customerioAdapter());
 * ```
 *
 * The choke point is `handler` of `client.request`, in its class, which `APIClient`, `TrackClient` and
 * `PipelinesClient` share. Other clients are known there as strangers: their mail, broadcasts and newsletters are
 * refused, or pass with `unattached: "pass"`; their other calls pass untouched. So do events (`track`, page
 * views) as long as their client is attached to no fuse; of an attached one each event is an audience to be
 * declared, since campaigns may wait for it.
 *
 * API: https://docs.customer.io/integrations/api
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
  methodsOf,
  type Refusal,
  replaced,
  strangersMail,
  unsupported,
} from "../src/adapter";
import { CustomerioCalls, type Requests } from "./customerio/calls";
import { customerioCodec, isEvent } from "./customerio/codec";
import { copyOptions, locateAnywhere, type Root } from "./customerio/requests";

export { customerioCodec } from "./customerio/codec";

/** An `APIClient`, a `TrackClient` or a `PipelinesClient`. */
export interface CustomerioClient {
  readonly request: object;
  readonly defaults: object;
}

/** Options of {@link customerioAdapter}. */
export interface CustomerioOptions {
  /**
   * Reads the text of transactional messages from Customer.io before each mail that names one, so that guards and
   * plans see it, and whom it copies. Costs one request per mail. Text with Liquid in it stays unbound, and so do
   * messages in several languages.
   *
   * @default false
   */
  readonly resolveTemplates?: boolean;
}

interface Internals extends CustomerioClient {
  readonly request: Requests;
}

const names: ClientNames = {
  expected: "a client of the package customerio-node",
  short: "Customer.io client",
};

const mark = Symbol.for("mailfuse.customerio.handler");

/** Where the three kinds of client keep the URL their paths begin with, and where that is at Customer.io. */
const roots = [
  ["apiRoot", "/v1"],
  ["trackRoot", "/api/v1"],
  ["pipelinesRoot", "/v1"],
] as const;

/**
 * The adapter for clients of `customerio-node` 4 and 5.
 *
 * @example
 * ```ts
 * fuse.attach(customerio, customerioAdapter({ resolveTemplates: true }));
 * ```
 * @throws MailfuseError `ATTACH_UNSUPPORTED` from `attach` for other objects, and for clients whose `handler`
 * other code has replaced.
 */
export function customerioAdapter(options: CustomerioOptions = {}): Adapter<CustomerioClient> {
  const resolveTemplates = options.resolveTemplates ?? false;
  return {
    name: "customerio",
    attach(client, gate) {
      const root = rootOf(client);
      if (!isCustomerio(client) || !root) throw unsupported(names, "another object");
      return attachTo(client, root, gate, resolveTemplates);
    },
  };
}

function attachTo(client: Internals, root: Root, gate: Gate, resolveTemplates: boolean): Attachment {
  const { request } = client;
  const hook = hookMethod(request, "handler", mark, (_stranger, args) => judge(args, gate));
  if (!hook) throw unsupported(names, "a client whose handler other code has replaced");
  const calls = new CustomerioCalls(request, hook.original, root, gate, resolveTemplates);
  const inner = callable(request).map((name) => [name, method(request, name)] as const);
  const verify = (): Refusal | undefined => {
    if (client.request !== request) return replaced(names, "its request was replaced");
    if (!hook.holds(request)) return replaced(names, "handler was replaced by other code");
    const changed = inner.find(([name, was]) => method(request, name) !== was && name !== "handler");
    return changed ? replaced(names, "a method of its request was replaced by other code") : undefined;
  };
  const call = checkedCall(verify, (args: readonly unknown[]) => calls.handle(args));
  return attachHooked({
    gate,
    holds: [{ hook, object: request, call }],
    entrances: [[client, methodsOf(client)]],
    account: accountOfKey("key", request.auth),
    verify,
    revive: (spooled) => calls.revive(spooled),
  });
}

/** A client that no fuse holds may do anything but mail; what was looked at is what leaves. */
function judge(args: readonly unknown[], gate: Gate): Refusal | readonly unknown[] {
  const [given, ...rest] = args;
  const { wire, options } = copyOptions(given, locateAnywhere, gate.limits);
  // Its root is not known here; a URL of its own may stand for any of them.
  for (const root of ["", "/v1", "/api/v1"]) {
    const request = { ...wire, path: `${root}${wire.path}` };
    const { kind } = customerioCodec.classify(request);
    if ((kind === "send" || kind === "system" || kind === "audience") && !isEvent(request))
      return strangersMail(names.short);
  }
  return [options(wire), ...rest];
}

function rootOf(client: object): Root | undefined {
  for (const [name, path] of roots) {
    const url = (client as Record<string, unknown>)[name];
    if (typeof url === "string" && URL.canParse(url)) return { url, path };
  }
  return undefined;
}

function callable(object: object): string[] {
  return methodsOf(object).filter((name) => typeof method(object, name) === "function");
}

function method(object: object, name: string): unknown {
  return (object as Record<string, unknown>)[name];
}

function isCustomerio(client: object): client is Internals {
  const { request } = client as Partial<Internals>;
  if (typeof request !== "object" || request === null) return false;
  const { handler, options } = request;
  return typeof handler === "function" && typeof options === "function" && typeof request.auth === "string";
}
