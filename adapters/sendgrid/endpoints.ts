/**
 * What SendGrid's Web API v3 does, by method and path
 * (https://www.twilio.com/docs/sendgrid/api-reference). What no line names is refused.
 *
 * @module
 */
import { asList, asText, field, type Plain, Routes, toText } from "../../src/adapter";

/** What an endpoint other than mail/send does. */
export type Endpoint =
  | { readonly kind: "management" }
  | { readonly kind: "read" }
  /** SendGrid itself mails the people in these fields of the body. */
  | { readonly kind: "system"; readonly what: string; readonly people: readonly string[] }
  /** SendGrid mails whoever is on these lists. */
  | {
      readonly kind: "audience";
      readonly what: string;
      readonly people: readonly string[];
      ids(body: Plain, path: string): readonly string[];
    };

const management: Endpoint = { kind: "management" };
const read: Endpoint = { kind: "read" };
const system = (what: string, ...people: string[]): Endpoint => ({ kind: "system", what, people });

/** The id in a path: `/v3/marketing/singlesends/<id>/schedule`. */
const idAt = (segment: number) => (_body: Plain, path: string) => {
  const id = path.split("/")[segment + 1];
  return id === undefined ? [] : [id];
};

/** Lists and segments in a body; `all: true`, or none, is everyone. */
const lists = (body: Plain): readonly string[] => {
  const to = field(body, "send_to") ?? body;
  if (field(to, "all") === true) return [];
  return [...asList(field(to, "list_ids")), ...asList(field(to, "segment_ids"))].map(toText);
};

const audience = (
  what: string,
  ids: (body: Plain, path: string) => readonly string[],
  ...people: string[]
): Endpoint => ({
  kind: "audience",
  what,
  people,
  ids,
});

const singleSend = audience("a marketing single send", lists);
const scheduled = audience("a scheduled marketing single send", idAt(3));
const campaign = audience("a marketing campaign", lists);
const scheduledCampaign = audience("a scheduled marketing campaign", idAt(2));

/** Writes and odd reads; plain GETs under /v3 are reads. */
export const endpoints = new Routes<Endpoint>({
  "POST /v3/marketing/singlesends": singleSend,
  "PATCH /v3/marketing/singlesends/*": singleSend,
  "POST /v3/marketing/singlesends/*": management,
  "PUT /v3/marketing/singlesends/*/schedule": scheduled,
  "POST /v3/marketing/singlesends/*/schedule": scheduled,
  "DELETE /v3/marketing/singlesends/**": management,
  "POST /v3/marketing/singlesends/search": read,
  "POST /v3/marketing/test/send_email": audience(
    "a marketing test send",
    (body) => [asText(field(body, "template_id")) ?? "marketing-test"],
    "emails",
  ),
  "POST /v3/campaigns": campaign,
  "PATCH /v3/campaigns/*": campaign,
  "POST /v3/campaigns/*/schedules": scheduledCampaign,
  "PATCH /v3/campaigns/*/schedules": scheduledCampaign,
  "POST /v3/campaigns/*/schedules/now": scheduledCampaign,
  "POST /v3/campaigns/*/schedules/test": audience("a test of a marketing campaign", idAt(2), "to"),
  "DELETE /v3/campaigns/**": management,

  "POST /v3/verified_senders": system("the verification of a sender", "from_email"),
  "PATCH /v3/verified_senders/*": system("the verification of a sender", "from_email"),
  "POST /v3/verified_senders/resend/*": system("the verification of a sender"),
  "DELETE /v3/verified_senders/*": management,
  "POST /v3/senders": system("the verification of a sender", "from"),
  "PATCH /v3/senders/*": system("the verification of a sender", "from"),
  "POST /v3/senders/*/resend_verification": system("the verification of a sender"),
  "POST /v3/marketing/senders": system("the verification of a sender", "from"),
  "PATCH /v3/marketing/senders/*": system("the verification of a sender", "from"),
  "POST /v3/marketing/senders/*/resend_verification": system("the verification of a sender"),
  "POST /v3/teammates": system("the invitation of a teammate", "email"),
  "POST /v3/teammates/pending/*/resend": system("the invitation of a teammate"),
  "POST /v3/sso/teammates": system("the invitation of a teammate", "email"),
  "POST /v3/subusers": system("the creation of a subuser", "email"),
  "POST /v3/whitelabel/dns/email": system("DNS records by mail", "email"),
  "POST /v3/alerts": system("alerts by mail", "email_to"),
  "PATCH /v3/alerts/*": system("alerts by mail", "email_to"),
  "PUT /v3/user/email": system("the confirmation of an account's address", "email"),
  "POST /v3/messages/download": system("an export by mail"),
  "POST /v3/marketing/contacts/exports": system("an export by mail"),

  // Unsubscribes and suppressions: these must work above all.
  "* /v3/asm/**": management,
  "* /v3/suppression/**": management,
  // Batches and paused sends name mail that was judged when it was sent.
  "POST /v3/mail/batch": management,
  "* /v3/user/scheduled_sends/**": management,

  "POST /v3/marketing/contacts/search": read,
  "POST /v3/marketing/contacts/search/emails": read,
  "POST /v3/marketing/contacts/batch": read,
  "* /v3/marketing/contacts": management,
  "PUT /v3/marketing/contacts/imports": management,
  "* /v3/marketing/lists/**": management,
  "* /v3/marketing/segments/**": management,
  "* /v3/marketing/field_definitions/**": management,
  "* /v3/contactdb/**": management,
  "POST /v3/validations/email": read,
  "* /v3/templates/**": management,
  "* /v3/designs/**": management,
  "* /v3/whitelabel/domains/**": management,
  "* /v3/whitelabel/ips/**": management,
  "* /v3/whitelabel/links/**": management,
  "* /v3/api_keys/**": management,
  "* /v3/ips/**": management,
  "* /v3/access_settings/**": management,
  "* /v3/tracking_settings/**": management,
  "* /v3/user/webhooks/event/**": management,
});
