/**
 * What SparkPost's API does, by method and path below `/api/v1` (https://developers.sparkpost.com/api).
 * What no line names is refused.
 *
 * @module
 */
import { asText, field, type Plain, Routes } from "../../src/adapter";

/** What an endpoint does. */
export type Endpoint =
  /** A transmission: to the people in it, or to a list that lives at SparkPost. */
  | { readonly kind: "send" }
  | { readonly kind: "management" }
  | { readonly kind: "read" }
  /** SparkPost itself mails these people; without any in the body it mails nobody. */
  | { readonly kind: "system"; readonly what: string; people(body: Plain, path: string): readonly string[] };

const management: Endpoint = { kind: "management" };
const read: Endpoint = { kind: "read" };

/** The mailboxes that are asked whether a domain is one's own. */
const verification: Endpoint = {
  kind: "system",
  what: "the verification of a domain",
  people(body, path) {
    const domain = path.split("/").at(-2);
    const asks = (key: string) => ![undefined, null, false].includes(field(body, key) as undefined);
    const named = asText(field(body, "verification_mailbox"));
    return [
      ...(asks("abuse_at_verify") ? ["abuse"] : []),
      ...(asks("postmaster_at_verify") ? ["postmaster"] : []),
      ...(asks("verification_mailbox_verify") || asks("verification_mailbox") ? [named ?? ""] : []),
    ].map((mailbox) => `${mailbox}@${domain}`);
  },
};

/** Sends, writes and odd reads; plain GETs are reads. */
export const endpoints = new Routes<Endpoint>({
  "POST /transmissions": { kind: "send" },
  "DELETE /transmissions": management,
  "DELETE /transmissions/*": management,
  "POST /sending-domains/*/verify": verification,

  // Suppressions: these must work above all.
  "PUT /suppression-list": management,
  "PUT /suppression-list/*": management,
  "DELETE /suppression-list/*": management,
  "POST /recipient-lists": management,
  "PUT /recipient-lists/*": management,
  "DELETE /recipient-lists/*": management,
  "POST /templates": management,
  "PUT /templates/*": management,
  "DELETE /templates/*": management,
  "POST /templates/*/preview": read,
  "POST /sending-domains": management,
  "PUT /sending-domains/*": management,
  "DELETE /sending-domains/*": management,
  "POST /inbound-domains": management,
  "DELETE /inbound-domains/*": management,
  // Inbound mail is handed to a web address.
  "POST /relay-webhooks": management,
  "PUT /relay-webhooks/*": management,
  "DELETE /relay-webhooks/*": management,
  "POST /webhooks": management,
  "PUT /webhooks/*": management,
  "DELETE /webhooks/*": management,
  "POST /webhooks/*/validate": management,
  "POST /subaccounts": management,
  "PUT /subaccounts/*": management,
});
