/**
 * What Mailtrap's API does, by method and path (https://docs.mailtrap.io/developers). Hosts divide the
 * paths between them, so the path alone says what a request does. What no line names is refused.
 *
 * @module
 */
import { asList, asRecord, field, type Plain, Routes } from "../../src/adapter";

/** How the mails stand in the body of a send. */
export type Layout =
  /** The body is one mail. */
  | "one"
  /** `requests` are mails, each on top of `base`. */
  | "batch"
  /** `email` gets a mail that was caught in a test inbox. */
  | "caught"
  /** The body is one mail around a stored one. */
  | "forward";

/** What an endpoint does. */
export type Endpoint =
  | { readonly kind: "send"; readonly layout: Layout }
  | { readonly kind: "management" }
  /** Mailtrap itself mails the address in this field. */
  | { readonly kind: "system"; readonly what: string; readonly person: string }
  /** Mailtrap mails people that only it knows, beside those in the body's own fields. */
  | {
      readonly kind: "audience";
      readonly what: string;
      /** Declared ids: of the list or segment where the request names one, else of the thing that holds one. */
      ids(body: Plain, path: string): readonly string[];
      /** Fields that name people as well. */
      readonly people?: readonly ("to" | "cc" | "bcc")[];
      /** The same request in a form that mails nobody. */
      harmless?(body: Plain): boolean;
    };

const management: Endpoint = { kind: "management" };
const send = (layout: Layout): Endpoint => ({ kind: "send", layout });

/** An id in a path, with what it is an id of: numbers of different things are alike. */
const idAt = (what: string, segment: number) => (_body: Plain, path: string) => {
  const id = path.split("/")[segment + 1];
  return id === undefined ? [] : [`${what}:${id}`];
};

const named = (body: Plain) => [
  ...asList(field(body, "contact_list_ids")).map((id) => `list:${String(id)}`),
  ...asList(field(body, "contact_segment_ids")).map((id) => `segment:${String(id)}`),
];

const imported = (body: Plain) => [
  ...new Set(
    asList(field(body, "contacts"))
      .flatMap((contact) => asList(field(contact, "list_ids_included")))
      .map((id) => `list:${String(id)}`),
  ),
];

const campaign = idAt("campaign", 2);
const message = idAt("message", 5);
const reply: Endpoint = {
  kind: "audience",
  what: "a reply to whom a stored mail names",
  ids: message,
  people: ["to", "cc", "bcc"],
};

const onlyName = (body: Plain) => Object.keys(asRecord(body) ?? { other: 1 }).every((key) => key === "name");

/** Sends and writes; every GET is a read. */
export const endpoints = new Routes<Endpoint>({
  "POST /api/send": send("one"),
  // Into a test inbox. Switches of a provider are no guard, and what is caught can be forwarded.
  "POST /api/send/*": send("one"),
  "POST /api/batch": send("batch"),
  "POST /api/batch/*": send("batch"),
  "POST /api/accounts/*/inboxes/*/messages/*/forward": send("caught"),
  "POST /api/inbound/inboxes/*/messages/*/forward": send("forward"),
  "POST /api/inbound/inboxes/*/messages/*/reply": reply,
  "POST /api/inbound/inboxes/*/messages/*/reply_all": reply,

  "POST /api/email_campaigns/*/start": { kind: "audience", what: "a campaign", ids: campaign },
  "POST /api/email_campaigns/*/schedule": { kind: "audience", what: "a campaign", ids: campaign },
  // One that is scheduled already leaves as it is changed, and to whom.
  "PATCH /api/email_campaigns/*": {
    kind: "audience",
    what: "the change of a campaign",
    ids: (body, path) => {
      const ids = named(body);
      return ids.length > 0 ? ids : campaign(body, path);
    },
    harmless: onlyName,
  },
  "POST /api/email_campaigns": management,
  "DELETE /api/email_campaigns/*": management,
  "POST /api/email_campaigns/*/cancel": management,
  "POST /api/email_campaigns/*/terminate": management,
  "POST /api/email_campaigns/*/reset": management,
  "POST /api/accounts/*/contacts/*/events": {
    kind: "audience",
    what: "an event that starts automations",
    ids: (body) => {
      const name = field(body, "name");
      return typeof name === "string" && name !== "" ? [name] : [];
    },
  },
  "POST /api/accounts/*/sending_domains/*/send_setup_instructions": {
    kind: "system",
    what: "the instructions for a domain",
    person: "email",
  },

  // Suppressions and unsubscribes: these must work above all.
  "POST /api/accounts/*/suppressions": management,
  "DELETE /api/accounts/*/suppressions/*": management,
  "POST /api/tracking_opt_outs": management,
  "DELETE /api/tracking_opt_outs/*": management,
  "POST /api/accounts/*/contacts": management,
  "PATCH /api/accounts/*/contacts/*": management,
  "DELETE /api/accounts/*/contacts/*": management,
  "POST /api/accounts/*/contacts/exports": management,
  // Who comes onto a list may start an automation, each of them.
  "POST /api/accounts/*/contacts/imports": {
    kind: "audience",
    what: "an import of contacts",
    ids: imported,
    harmless: (body) => Array.isArray(field(body, "contacts")) && imported(body).length === 0,
  },
  "POST /api/accounts/*/contacts/fields": management,
  "PATCH /api/accounts/*/contacts/fields/*": management,
  "DELETE /api/accounts/*/contacts/fields/*": management,
  "POST /api/accounts/*/contacts/lists": management,
  "PATCH /api/accounts/*/contacts/lists/*": management,
  "DELETE /api/accounts/*/contacts/lists/*": management,
  "POST /api/accounts/*/email_templates": management,
  "PATCH /api/accounts/*/email_templates/*": management,
  "DELETE /api/accounts/*/email_templates/*": management,
  "POST /api/accounts/*/sending_domains": management,
  "PATCH /api/accounts/*/sending_domains/*": management,
  "DELETE /api/accounts/*/sending_domains/*": management,
  "POST /api/domains/*/company_info": management,
  "PATCH /api/domains/*/company_info": management,
  "POST /api/accounts/*/webhooks": management,
  "PATCH /api/accounts/*/webhooks/*": management,
  "DELETE /api/accounts/*/webhooks/*": management,
  "DELETE /api/accounts/*/account_accesses/*": management,
  "PUT /api/accounts/*/account_accesses/*/permissions/bulk": management,
  "POST /api/accounts/*/api_tokens": management,
  "POST /api/accounts/*/api_tokens/*/reset": management,
  "DELETE /api/accounts/*/api_tokens/*": management,
  "POST /api/organizations/*/sub_accounts": management,
  "POST /api/accounts/*/projects": management,
  "PATCH /api/accounts/*/projects/*": management,
  "DELETE /api/accounts/*/projects/*": management,
  "POST /api/accounts/*/projects/*/inboxes": management,
  "PATCH /api/accounts/*/inboxes/*": management,
  "DELETE /api/accounts/*/inboxes/*": management,
  "PATCH /api/accounts/*/inboxes/*/clean": management,
  "PATCH /api/accounts/*/inboxes/*/all_read": management,
  "PATCH /api/accounts/*/inboxes/*/reset_credentials": management,
  "PATCH /api/accounts/*/inboxes/*/toggle_email_username": management,
  "PATCH /api/accounts/*/inboxes/*/reset_email_username": management,
  "PATCH /api/accounts/*/inboxes/*/messages/*": management,
  "DELETE /api/accounts/*/inboxes/*/messages/*": management,
  "POST /api/inbound/folders": management,
  "PATCH /api/inbound/folders/*": management,
  "DELETE /api/inbound/folders/*": management,
  "POST /api/inbound/folders/*/inboxes": management,
  "PATCH /api/inbound/folders/*/inboxes/*": management,
  "DELETE /api/inbound/folders/*/inboxes/*": management,
  "DELETE /api/inbound/inboxes/*/messages/*": management,
  "DELETE /api/inbound/inboxes/*/threads/*": management,
});
