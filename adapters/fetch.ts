/**
 * `fetch` for those who call a provider's REST API by hand, from `mailfuse/fetch`.
 *
 * ```ts
 * import { guardedFetch } from "mailfuse/fetch";
 *
 * const fetch = guardedFetch(fuse);
 * await fetch("https://api.postmarkapp.com/email", { method: "POST", headers, body: JSON.stringify(mail) });
 * ```
 *
 * A request to a host of a known provider is read by that provider's codec, the same one its SDK's
 * adapter uses, and judged as the SDK's would be. Requests to other hosts pass untouched.
 *
 * This file stands beside the adapters, and is the one that may import them all: what it guards
 * should not depend on what somebody remembered to list.
 *
 * @module
 */
import type { Adapter, Codec } from "../src/adapter";
import { azureCodec } from "./azure";
import { brevoCodec } from "./brevo";
import { customerioCodec } from "./customerio";
import { type Fetch, Lane } from "./fetch/calls";
import { loopsCodec } from "./loops";
import { mailchimpCodec } from "./mailchimp";
import { mailersendCodec } from "./mailersend";
import { mailgunCodec } from "./mailgun";
import { mailjetCodec } from "./mailjet";
import { mailtrapCodec } from "./mailtrap";
import { postmarkCodec } from "./postmark";
import { resendCodec } from "./resend";
import { sendgridCodec } from "./sendgrid";
import { sesCodec } from "./ses/codec";
import { sparkpostCodec } from "./sparkpost";

/** What {@link guardedFetch} needs of a fuse. */
export interface AttachingFuse {
  attach<Client extends object>(client: Client, adapter: Adapter<NoInfer<Client>>): unknown;
}

/** Options of {@link guardedFetch}. */
export interface GuardedFetchOptions {
  /**
   * The codecs by which hosts and requests are known.
   *
   * @default all that mailfuse has
   */
  readonly codecs?: readonly Codec[];
  /**
   * What sends.
   *
   * @default the global `fetch`, looked up at each call
   */
  readonly fetch?: typeof globalThis.fetch;
}

/** Every provider whose API mailfuse reads. */
export const allCodecs: readonly Codec[] = [
  sendgridCodec,
  mailgunCodec,
  sesCodec,
  postmarkCodec,
  resendCodec,
  brevoCodec,
  mailtrapCodec,
  loopsCodec,
  customerioCodec,
  mailchimpCodec,
  mailjetCodec,
  mailersendCodec,
  sparkpostCodec,
  azureCodec,
];

/**
 * A `fetch` that passes mail through a fuse. It takes what `fetch` takes; a body is read to its end
 * before it is judged, streams too. Refusals reject with `MailfuseError`.
 *
 * - A send's redirect (3xx) is answered as it came and never followed: it would send the mail again.
 * - JSON that can be read in two ways leaves as it was judged, written anew; all other bodies leave
 *   as they came, but for recipients that are spelled canonically. A signature over the body (AWS
 *   SigV4 made by hand) holds only for addresses in their plain form.
 * - What a plan keeps of a request includes its headers, credentials among them, sealed.
 *
 * @param fuse What `createFuse` made. Calls for one fuse each hold it anew; one per process is enough.
 * @example
 * ```ts
 * const fetch = guardedFetch(fuse);
 * const response = await fetch("https://api.resend.com/emails", {
 *   method: "POST",
 *   headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
 *   body: JSON.stringify({ from, to, subject, text }),
 * });
 * ```
 */
export function guardedFetch(fuse: AttachingFuse, options: GuardedFetchOptions = {}): Fetch {
  const base = (): Fetch => options.fetch ?? globalThis.fetch;
  const lanes = (options.codecs ?? allCodecs).map((codec) => new Lane(codec, base));
  for (const lane of lanes) fuse.attach(lane, fetchAdapter(lane.codec));
  return async (input, init) => {
    // Made text once: an object's toString could name another host the second time.
    const target = input instanceof Request ? input : String(input);
    const host = hostOf(target instanceof Request ? target.url : target);
    const lane =
      host === undefined ? undefined : lanes.find(({ codec }) => codec.hosts.some((one) => covers(one, host)));
    return lane ? lane.pass(target, init) : base()(target, init);
  };
}

/** One adapter per provider, so that ledgers and plans name it. */
function fetchAdapter({ provider }: Codec): Adapter<Lane> {
  return {
    name: provider,
    attach(lane, gate) {
      lane.gate = gate;
      return {
        account: "fetch",
        detach: () => {
          lane.gate = undefined;
        },
        verify: () => undefined,
        revive: (spooled) => lane.revive(spooled),
      };
    },
  };
}

/** The host as look-ups take it: a dot at its end changes nothing. */
function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname.replace(/\.+$/, "") : undefined;
}

/** `*.` covers subdomains of any depth, a `*` elsewhere one label. */
function covers(pattern: string, host: string): boolean {
  if (pattern.startsWith("*.")) return host.endsWith(pattern.slice(1)) && host.length >= pattern.length;
  const wanted = pattern.split(".");
  const labels = host.split(".");
  return wanted.length === labels.length && wanted.every((label, at) => label === "*" || label === labels[at]);
}
