/**
 * Loops: the `loops` package, from `mailfuse/loops`.
 *
 * ```ts
 * import { LoopsClient } from "loops";
 * import { loopsAdapter } from "mailfuse/loops";
 *
 * const loops = new LoopsClient(process.env.LOOPS_KEY);
 * fuse.attach(loops, loopsAdapter({ resolveTemplates: true }));
 * ```
 *
 * The choke point is `_makeQuery`, in its class: every method ends there, and other clients of the class are
 * known as strangers. Their mail is refused, or passes with `unattached: "pass"`; their other calls pass
 * untouched.
 *
 * A transactional mail's text stands at Loops, and so do copies: a stored message may have a `ccEmail` and a
 * `bccEmail` that every mail made from it goes to as well. Only `resolveTemplates` shows them.
 *
 * API: https://loops.so/docs/api-reference
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
import { copyQuery, LoopsCalls, type LoopsInternals } from "./loops/calls";
import { loopsCodec } from "./loops/codec";

export { loopsCodec } from "./loops/codec";

/** A `LoopsClient`. */
export interface LoopsClient {
  readonly apiRoot: string;
  sendTransactionalEmail(mail: never): Promise<unknown>;
}

/** Options of {@link loopsAdapter}. */
export interface LoopsOptions {
  /**
   * Reads a template from Loops before each mail that names one, so that guards and plans see its text and whom
   * it copies. Costs two requests per mail. Text with parts that only Loops fills in stays unbound.
   *
   * @default false
   */
  readonly resolveTemplates?: boolean;
}

const names: ClientNames = {
  expected: "a LoopsClient of the package loops",
  short: "Loops client",
};

const mark = Symbol.for("mailfuse.loops.makeQuery");

/**
 * The adapter for `LoopsClient` of `loops` 7.
 *
 * @example
 * ```ts
 * fuse.attach(loops, loopsAdapter());
 * ```
 * @throws MailfuseError `ATTACH_UNSUPPORTED` from `attach` for other objects, and for clients whose
 * `_makeQuery` other code has replaced.
 */
export function loopsAdapter(options: LoopsOptions = {}): Adapter<LoopsClient> {
  const resolveTemplates = options.resolveTemplates ?? false;
  return {
    name: "loops",
    attach(client, gate) {
      if (!isLoops(client)) throw unsupported(names, "another object");
      return attachTo(client, gate, resolveTemplates);
    },
  };
}

function attachTo(client: LoopsInternals, gate: Gate, resolveTemplates: boolean): Attachment {
  const hook = hookMethod(client, "_makeQuery", mark, (stranger, args) =>
    judge(stranger as LoopsInternals, args, gate),
  );
  if (!hook) throw unsupported(names, "a client whose _makeQuery other code has replaced");
  const calls = new LoopsCalls(client, hook.original, gate, resolveTemplates);
  const verify = (): Refusal | undefined =>
    hook.holds(client) ? undefined : replaced(names, "_makeQuery was replaced by other code");
  const call = checkedCall(verify, (args: readonly unknown[]) => calls.request(args));
  return attachHooked({
    gate,
    holds: [{ hook, object: client, call }],
    entrances: [[client, methodsOf(client).filter((name) => name !== "_makeQuery")]],
    account: accountOfKey("key", client.apiKey),
    verify,
    revive: (spooled) => calls.revive(spooled),
  });
}

/** A client that no fuse holds may do anything but mail; what was looked at is what leaves. */
function judge(stranger: LoopsInternals, args: readonly unknown[], gate: Gate): Refusal | readonly unknown[] {
  const { wire, query } = copyQuery(stranger, args[0], gate.limits);
  const { kind } = loopsCodec.classify(wire);
  if (kind === "send" || kind === "system" || kind === "audience") return strangersMail(names.short);
  return [query(wire)];
}

function isLoops(client: object): client is LoopsInternals {
  const { _makeQuery, apiRoot, apiKey, sendTransactionalEmail } = client as Record<string, unknown>;
  return (
    typeof _makeQuery === "function" &&
    typeof apiRoot === "string" &&
    typeof apiKey === "string" &&
    typeof sendTransactionalEmail === "function"
  );
}
