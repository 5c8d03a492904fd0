/**
 * Amazon SES: `@aws-sdk/client-sesv2` and `@aws-sdk/client-ses`, from `mailfuse/ses`.
 *
 * ```ts
 * import * as sdk from "@aws-sdk/client-sesv2";
 * import { sesAdapter } from "mailfuse/ses";
 *
 * const ses = new sdk.SESv2Client({ region: "eu-west-1" });
 * fuse.attach(ses, sesAdapter({ sdk }));
 * ```
 *
 * The input is read and copied in a middleware; `config.requestHandler.handle`, the last step, holds
 * the signed request against it, so that no middleware, cached handler or foreign stack leads past.
 * Clients of other services that share the request handler are left alone. The SDK's own retries
 * belong to one send: after an answer that leaves the outcome open, none is made.
 *
 * API: https://docs.aws.amazon.com/ses/latest/APIReference-V2/
 *
 * @module
 */
import { type Adapter, MailfuseError } from "../src/adapter";
import { SesCalls } from "./ses/calls";
import { chokePoint, type SesClient } from "./ses/choke-point";

export { sesCodec } from "./ses/codec";

/** What the adapter takes: `SESv2Client`, `SESv2`, `SESClient` or `SES`. */
export interface Ses {
  readonly middlewareStack: object;
  readonly config: { readonly requestHandler: object };
  destroy(): void;
}

/** Options of {@link sesAdapter}. */
export interface SesOptions {
  /**
   * The package the client comes from. Without it, a plan made in one process can be released in
   * another only through the aggregated clients `SESv2` and `SES`, and `resolveTemplates` needs them too.
   */
  readonly sdk?: object;
  /**
   * Reads the text of templates from SES before each mail that names one, so that guards and plans
   * see it. Costs one request per such mail.
   *
   * @default false
   */
  readonly resolveTemplates?: boolean;
}

const versions: Readonly<Record<string, "v1" | "v2">> = { SES: "v1", SESv2: "v2" };

/**
 * The adapter for `@aws-sdk/client-sesv2` and `@aws-sdk/client-ses`.
 *
 * @example
 * ```ts
 * fuse.attach(ses, sesAdapter({ sdk, resolveTemplates: true }));
 * ```
 * @throws MailfuseError `ATTACH_UNSUPPORTED` from `attach` for other objects, clients of other
 * services among them.
 */
export function sesAdapter(options: SesOptions = {}): Adapter<Ses> {
  const { sdk, resolveTemplates = false } = options;
  return {
    name: "ses",
    attach(target, gate) {
      if (!isClient(target)) throw unsupported();
      const version = versions[String(target.config.serviceId)];
      if (!version) throw unsupported();
      const choke = chokePoint(target);
      const calls = new SesCalls({ client: target, version, choke, gate, sdk, resolveTemplates });
      const leave = choke.enter(calls.initialize, gate.unattached);
      const region = target.initConfig?.region;
      return {
        ...(typeof region === "string" ? { account: region } : {}),
        detach: leave,
        verify: choke.verify,
        revive: (spooled) => calls.revive(spooled),
      };
    },
  };
}

function isClient(target: object): target is Ses & SesClient {
  const { middlewareStack, config, send } = target as Partial<SesClient>;
  const stack = [middlewareStack?.add, middlewareStack?.remove, middlewareStack?.identify];
  return [...stack, config?.requestHandler?.handle, send].every((one) => typeof one === "function");
}

function unsupported(): MailfuseError {
  return new MailfuseError({
    code: "ATTACH_UNSUPPORTED",
    message: "Expected a client of @aws-sdk/client-sesv2 or @aws-sdk/client-ses, got another object.",
    fix: "Pass the SESv2Client, SESv2, SESClient or SES object itself.",
  });
}
