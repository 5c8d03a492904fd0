/**
 * Mailtrap: the `mailtrap` package, from `mailfuse/mailtrap`.
 *
 * ```ts
 * import { MailtrapClient } from "mailtrap";
 * import { mailtrapAdapter } from "mailfuse/mailtrap";
 *
 * const mailtrap = new MailtrapClient({ token: process.env.MAILTRAP_TOKEN });
 * fuse.attach(mailtrap, mailtrapAdapter());
 * ```
 *
 * The choke point is what the client's axios sends with: every method of every sub-client ends there with the
 * request that would really leave, `client.axios` and instances made from it too. `send` and `batchSend` are
 * hooked in their class as well: other clients are known there as strangers, whose mail is refused, or passes
 * with `unattached: "pass"`.
 *
 * Mailtrap's transport for nodemailer makes a client of its own; attach the transporter with
 * `mailfuse/nodemailer` instead.
 *
 * API: https://docs.mailtrap.io/developers
 *
 * @module
 */
import {
  type Adapter,
  type Attachment,
  accountOfKey,
  attachHooked,
  checkedCall,
  type Gate,
  type Hook,
  hookMethod,
  MailfuseError,
  type Refusal,
  replaced,
  strangersMail,
  unsupported,
} from "../src/adapter";
import { MailtrapCalls } from "./mailtrap/calls";
import { type Axios, type Config, changed, isAxios, names, take } from "./mailtrap/choke-point";

export { mailtrapCodec } from "./mailtrap/codec";

/** A `MailtrapClient`. */
export interface MailtrapClient {
  send(mail: never): Promise<unknown>;
  batchSend(request: never): Promise<unknown>;
}

interface Internals {
  axios: Axios;
  readonly accountId?: unknown;
}

/** Options of {@link mailtrapAdapter}. */
export interface MailtrapOptions {
  /**
   * Reads the texts of templates from Mailtrap before each request that names some, so that guards and plans see
   * them. Needs a client with an `accountId`, and costs one request more.
   *
   * @default false
   */
  readonly resolveTemplates?: boolean;
}

const entrances = ["send", "batchSend"] as const;

/**
 * The adapter for `MailtrapClient` of `mailtrap` 4; it attaches to 3 and later.
 *
 * @example
 * ```ts
 * fuse.attach(mailtrap, mailtrapAdapter({ resolveTemplates: true }));
 * ```
 * @throws MailfuseError `ATTACH_UNSUPPORTED` from `attach` for other objects, and for clients whose methods
 * other code has replaced.
 */
export function mailtrapAdapter(options: MailtrapOptions = {}): Adapter<MailtrapClient> {
  const resolveTemplates = options.resolveTemplates ?? false;
  return {
    name: "mailtrap",
    attach(client, gate) {
      if (!isMailtrap(client)) throw unsupported(names, "another object");
      return attachTo(client, gate, resolveTemplates);
    },
  };
}

function attachTo(client: MailtrapClient & Internals, gate: Gate, resolveTemplates: boolean): Attachment {
  const { axios } = client;
  const hooks = entrances.map((name) => hookOf(client, name));
  const calls = new MailtrapCalls(axios, () => client.accountId, gate, resolveTemplates);
  const verify = (): Refusal | undefined => {
    if (client.axios !== axios) return replaced(names, "its axios was replaced");
    return changed(axios);
  };
  const check = (): void => {
    const problem = verify();
    if (problem) throw new MailfuseError(problem);
  };
  return attachHooked({
    gate,
    holds: hooks.map((hook) => ({
      hook,
      object: client,
      call: checkedCall(verify, (args: readonly unknown[]) => hook.original.apply(client, [...args])),
    })),
    entrances: [],
    undo: [
      take(
        axios,
        checkedCall(verify, (config: Config) => calls.request(config)),
      ),
      watchGetters(client, check),
    ],
    account: accountOf(axios),
    verify,
    revive: (spooled) => calls.revive(spooled),
  });
}

function hookOf(client: object, name: string): Hook {
  const hook = hookMethod(client, name, Symbol.for(`mailfuse.mailtrap.${name}`), () => strangersMail(names.short));
  if (!hook) throw unsupported(names, `a client whose ${name} other code has replaced`);
  return hook;
}

/** Sub-clients are made by getters, each time anew: looks at the client before one is handed out. */
function watchGetters(client: object, check: () => void): () => void {
  const undo: (() => void)[] = [];
  for (
    let at: object | null = Object.getPrototypeOf(client);
    at && at !== Object.prototype;
    at = Object.getPrototypeOf(at)
  ) {
    for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (!get || name === "__proto__" || Object.hasOwn(client, name)) continue;
      const watched = function (this: object): unknown {
        check();
        return get.call(this);
      };
      Object.defineProperty(client, name, { get: watched, configurable: true, enumerable: false });
      undo.push(() => {
        // Other code has put its own here.
        if (Object.getOwnPropertyDescriptor(client, name)?.get === watched) Reflect.deleteProperty(client, name);
      });
    }
  }
  return () => {
    for (const one of undo) one();
  };
}

function accountOf({ defaults }: Axios): string {
  const { Authorization: token } = (defaults.headers ?? {}) as { Authorization?: unknown };
  return accountOfKey("token", token);
}

function isMailtrap(client: object): client is MailtrapClient & Internals {
  const { axios, send, batchSend } = client as Record<string, unknown>;
  return typeof send === "function" && typeof batchSend === "function" && isAxios(axios);
}
