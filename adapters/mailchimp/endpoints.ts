/**
 * What Mailchimp Transactional's API (Mandrill) does, by path below `/api/1.3`
 * (https://mailchimp.com/developer/transactional/api). Every request is a POST, so reads are listed
 * as well. What no line names is refused.
 *
 * @module
 */
import { asText, field, type Plain, Routes } from "../../src/adapter";

/** What an endpoint does. */
export type Endpoint =
  /** `raw_message` is a rendered message, or `message` a mail. */
  | { readonly kind: "send"; readonly layout: "mail" | "raw" }
  | { readonly kind: "management" }
  | { readonly kind: "read" }
  /** Mandrill itself mails a person; without one in the body it mails nobody, where `optional`. */
  | { readonly kind: "system"; readonly what: string; person?(body: Plain): Plain; readonly optional?: true }
  /** Mandrill mails people that only it knows. */
  | { readonly kind: "audience"; readonly what: string; ids(body: Plain): readonly string[] };

const management: Endpoint = { kind: "management" };
const read: Endpoint = { kind: "read" };
const mail: Endpoint = { kind: "send", layout: "mail" };
const exported: Endpoint = {
  kind: "system",
  what: "the notice of an export",
  person: (body) => field(body, "notify_email"),
  optional: true,
};

/** Everything there is. */
export const endpoints = new Routes<Endpoint>({
  "POST /messages/send": mail,
  "POST /messages/send-template": mail,
  "POST /messages/send-mc-template": mail,
  "POST /messages/send-raw": { kind: "send", layout: "raw" },
  // Into the past is at once.
  "POST /messages/reschedule": {
    kind: "audience",
    what: "another time for a scheduled mail",
    ids: (body) => [asText(field(body, "id")) ?? ""].filter((id) => id !== ""),
  },
  "POST /messages/send-sms": { kind: "system", what: "a text message" },
  "POST /messages/cancel-scheduled": management,
  "POST /messages/content": read,
  "POST /messages/info": read,
  "POST /messages/list-scheduled": read,
  "POST /messages/parse": read,
  "POST /messages/search": read,
  "POST /messages/search-time-series": read,

  // Asks that address whether the domain is one's own.
  "POST /senders/verify-domain": {
    kind: "system",
    what: "the verification of a domain",
    person: (body) => `${asText(field(body, "mailbox")) ?? ""}@${asText(field(body, "domain")) ?? ""}`,
  },
  "POST /exports/activity": exported,
  "POST /exports/allowlist": exported,
  "POST /exports/rejects": exported,
  "POST /exports/whitelist": exported,
  "POST /exports/info": read,
  "POST /exports/list": read,
  // As if it had come in over SMTP: whoever answers inbound mail answers this.
  "POST /inbound/send-raw": { kind: "system", what: "a mail to one's own inbound routes" },

  // Suppressions: these must work above all.
  "POST /rejects/add": management,
  "POST /rejects/add-sms": management,
  "POST /rejects/delete": management,
  "POST /rejects/delete-sms": management,
  "POST /rejects/list": read,
  "POST /rejects/list-sms": read,
  "POST /allowlists/add": management,
  "POST /allowlists/delete": management,
  "POST /allowlists/list": read,
  "POST /whitelists/add": management,
  "POST /whitelists/delete": management,
  "POST /whitelists/list": read,
  "POST /inbound/add-domain": management,
  "POST /inbound/add-route": management,
  "POST /inbound/update-route": management,
  "POST /inbound/delete-route": management,
  "POST /inbound/delete-domain": management,
  "POST /inbound/check-domain": read,
  "POST /inbound/domains": read,
  "POST /inbound/routes": read,
  "POST /ips/cancel-warmup": management,
  "POST /ips/check-custom-dns": read,
  "POST /ips/create-pool": management,
  "POST /ips/delete": management,
  "POST /ips/delete-pool": management,
  "POST /ips/info": read,
  "POST /ips/list": read,
  "POST /ips/list-pools": read,
  "POST /ips/pool-info": read,
  "POST /ips/provision": management,
  "POST /ips/set-custom-dns": management,
  "POST /ips/set-pool": management,
  "POST /ips/start-warmup": management,
  "POST /mctemplates/info": read,
  "POST /mctemplates/list": read,
  "POST /mctemplates/render": read,
  "POST /mctemplates/time-series": read,
  "POST /metadata/add": management,
  "POST /metadata/delete": management,
  "POST /metadata/list": read,
  "POST /metadata/update": management,
  "POST /senders/add-domain": management,
  "POST /senders/check-domain": read,
  "POST /senders/delete-domain": management,
  "POST /senders/domains": read,
  "POST /senders/info": read,
  "POST /senders/list": read,
  "POST /senders/time-series": read,
  "POST /subaccounts/add": management,
  "POST /subaccounts/delete": management,
  "POST /subaccounts/info": read,
  "POST /subaccounts/list": read,
  "POST /subaccounts/pause": management,
  // What waited in a paused account leaves; each of those mails was judged when it was sent.
  "POST /subaccounts/resume": management,
  "POST /subaccounts/update": management,
  "POST /tags/all-time-series": read,
  "POST /tags/delete": management,
  "POST /tags/info": read,
  "POST /tags/list": read,
  "POST /tags/time-series": read,
  "POST /templates/add": management,
  "POST /templates/delete": management,
  "POST /templates/info": read,
  "POST /templates/list": read,
  "POST /templates/publish": management,
  "POST /templates/render": read,
  "POST /templates/time-series": read,
  "POST /templates/update": management,
  "POST /urls/add-tracking-domain": management,
  "POST /urls/check-tracking-domain": read,
  "POST /urls/delete-tracking-domain": management,
  "POST /urls/list": read,
  "POST /urls/search": read,
  "POST /urls/time-series": read,
  "POST /urls/tracking-domains": read,
  "POST /users/info": read,
  "POST /users/ping": read,
  "POST /users/ping2": read,
  "POST /users/senders": read,
  "POST /webhooks/add": management,
  "POST /webhooks/delete": management,
  "POST /webhooks/info": read,
  "POST /webhooks/list": read,
  "POST /webhooks/update": management,
});
