/**
 * Brevo: the `@getbrevo/brevo` package, from `mailfuse/brevo`.
 *
 * ```ts
 * import { BrevoClient } from "@getbrevo/brevo";
 * import { brevoAdapter } from "mailfuse/brevo";
 *
 * const brevo = new BrevoClient({ apiKey: process.env.BREVO_API_KEY });
 * fuse.attach(brevo, brevoAdapter());
 * ```
 *
 * The choke point is the `fetch` of the client's options, of which each sub-client has a copy:
 * whatever `requestOptions` do to a request, it is judged as it would leave. A refusal rejects with
 * `MailfuseError`, where the SDK would wrap it. Mail without an idempotency key gets the
 * reservation's, so that a repeat is harmless at Brevo.
 *
 * API: https://developers.brevo.com/reference
 *
 * @module
 */
import { type Adapter, type Attachment, accountOfKey, type ClientNames, type Gate, unsupported } from "../src/adapter";
import { BrevoCalls } from "./brevo/calls";
import { changed, type Held, isBrevo, ownFetch, take } from "./brevo/choke-point";

export { brevoCodec } from "./brevo/codec";

/** A `BrevoClient`. */
export interface BrevoClientLike {
  readonly transactionalEmails: object;
  fetch(input: string, init?: never, requestOptions?: never): Promise<unknown>;
}

/** Options of {@link brevoAdapter}. */
export interface BrevoOptions {
  /**
   * Reads the text of templates from Brevo before each mail that names one, so that guards and
   * plans see it. Costs one request per such mail.
   *
   * @default false
   */
  readonly resolveTemplates?: boolean;
}

const names: ClientNames = {
  expected: "a BrevoClient of the package @getbrevo/brevo",
  short: "Brevo client",
};

/**
 * The adapter for `BrevoClient` of `@getbrevo/brevo` 6.
 *
 * @example
 * ```ts
 * fuse.attach(brevo, brevoAdapter({ resolveTemplates: true }));
 * ```
 * @throws MailfuseError `ATTACH_UNSUPPORTED` from `attach` for other objects.
 */
export function brevoAdapter(options: BrevoOptions = {}): Adapter<BrevoClientLike> {
  const resolveTemplates = options.resolveTemplates ?? false;
  return {
    name: "brevo",
    attach(client, gate) {
      if (!isBrevo(client)) throw unsupported(names, "another object");
      return attachTo(client, gate, resolveTemplates);
    },
  };
}

function attachTo(client: Held & Record<string, unknown>, gate: Gate, resolveTemplates: boolean): Attachment {
  const own = ownFetch(client);
  const { _options: options } = client;
  const wiring = {
    fetch: () => own,
    base: () => options.baseUrl ?? options.environment ?? "https://api.brevo.com/v3",
    headers: async () => ({
      ...(options.headers as Record<string, string> | undefined),
      ...(await options.authProvider.getAuthRequest()).headers,
      accept: "*/*",
      "content-type": "application/json",
    }),
  };
  const calls = new BrevoCalls(wiring, gate, resolveTemplates);
  const detach = take(client, calls);
  const account = accountOf(client);
  return {
    ...(account === undefined ? {} : { account }),
    detach,
    verify: () => changed(client),
    revive: (spooled) => calls.revive(spooled),
  };
}

function accountOf(client: Held): string | undefined {
  const { apiKey } = client._options as { apiKey?: unknown };
  return typeof apiKey === "string" ? accountOfKey("key", apiKey) : undefined;
}
