/**
 * What Brevo's API does, by method and path below `/v3` (https://developers.brevo.com/reference).
 * What no line names is refused.
 *
 * @module
 */
import { asList, asText, field, type Plain, Routes } from "../../src/adapter";

/** What an endpoint does. */
export type Endpoint =
  | { readonly kind: "send" }
  | { readonly kind: "management" }
  | { readonly kind: "read" }
  /** Brevo itself mails these people, or people that only it knows. */
  | {
      readonly kind: "system";
      readonly what: string;
      people?(body: Plain): Plain;
      /** The same request in a form that mails nobody. */
      harmless?(body: Plain): boolean;
    }
  /** Brevo mails whoever is on these lists, beside the people named. */
  | {
      readonly kind: "audience";
      readonly what: string;
      ids(body: Plain, path: string): readonly string[];
      people?(body: Plain): Plain;
      harmless?(body: Plain): boolean;
    };

const management: Endpoint = { kind: "management" };
const read: Endpoint = { kind: "read" };
const system = (what: string, people?: (body: Plain) => Plain): Endpoint => ({
  kind: "system",
  what,
  ...(people ? { people } : {}),
});

const at =
  (...keys: readonly string[]) =>
  (body: Plain): Plain =>
    keys.reduce<Plain>((value, key) => field(value, key), body);

/** The id in a path: of `/emailCampaigns/7/sendNow` the first. */
const idAt = (segment: number) => (_body: Plain, path: string) => {
  const id = path.split("/")[segment + 1];
  return id === undefined ? [] : [id];
};

/** The lists and segments a campaign names; none is everyone. */
const lists = (body: Plain): string[] => {
  const recipients = field(body, "recipients");
  return [...asList(field(recipients, "listIds")), ...asList(field(recipients, "segmentIds"))].map(String);
};

const listsOr = (segment: number) => (body: Plain, path: string) => {
  const named = lists(body);
  return named.length > 0 ? named : idAt(segment)(body, path);
};

const off = (value: Plain): boolean => value === undefined || value === null || value === false;
const isDraft = (body: Plain): boolean => off(field(body, "scheduledAt")) && off(field(body, "sendAtBestTime"));

const quiet = new Set(["suspended", "archive", "darchive", "cancel", "draft", "replicate", "replicateTemplate"]);
const isQuiet = (body: Plain): boolean => quiet.has(asText(field(body, "status")) ?? "");

/** A test goes to the addresses named; to none, and Brevo takes the whole test list. */
const test = (what: string): Endpoint => ({
  kind: "audience",
  what,
  ids: (body, path) =>
    asList(field(body, "emailTo")).length > 0 ? idAt(path.startsWith("/smtp/") ? 2 : 1)(body, path) : [],
  people: at("emailTo"),
});

const campaignStatus = (what: string): Endpoint => ({ kind: "audience", what, ids: idAt(1), harmless: isQuiet });
const event = "an event that starts automations";
const text = "a text message";
const invitation = "the invitation of a user";

/** Sends and writes; every other GET is a read. */
export const endpoints = new Routes<Endpoint>({
  "POST /smtp/email": { kind: "send" },
  "DELETE /smtp/email/*": management,
  "POST /smtp/templates/*/sendTest": test("a test of a template"),
  "POST /smtp/template/preview": read,
  "POST /smtp/templates": management,
  "PUT /smtp/templates/*": management,
  "DELETE /smtp/templates/*": management,

  "POST /emailCampaigns": { kind: "audience", what: "a campaign", ids: lists, harmless: isDraft },
  // One that is scheduled already leaves as it is changed, and to whom.
  "PUT /emailCampaigns/*": { kind: "audience", what: "the change of a campaign", ids: listsOr(1) },
  "POST /emailCampaigns/*/sendNow": { kind: "audience", what: "a campaign", ids: idAt(1) },
  "PUT /emailCampaigns/*/status": campaignStatus("a campaign"),
  "POST /emailCampaigns/*/sendTest": test("a test of a campaign"),
  "POST /emailCampaigns/*/sendReport": system("a report on a campaign", at("email", "to")),
  "POST /emailCampaigns/*/exportRecipients": system("an export by mail"),
  "POST /emailCampaigns/images": management,
  "DELETE /emailCampaigns/*": management,

  "POST /events": {
    kind: "audience",
    what: event,
    ids: (body) => asList(field(body, "event_name")).map(String),
    people: at("identifiers", "email_id"),
  },
  "POST /events/batch": {
    kind: "audience",
    what: event,
    ids: (body) => [...new Set(asList(field(body, "events")).map((one) => String(field(one, "event_name"))))],
    people: (body) =>
      asList(field(body, "events"))
        .map(at("identifiers", "email_id"))
        .filter((one) => !off(one)),
  },
  "POST /contacts/doubleOptinConfirmation": system("a double opt-in mail", at("email")),
  "POST /conversations/messages": system("a message to a visitor"),
  "POST /conversations/pushedMessages": system("a message to a visitor"),
  "POST /senders": system("the verification of a sender", at("email")),
  "PUT /senders/*": {
    kind: "system",
    what: "the verification of a sender",
    people: at("email"),
    harmless: (body) => off(field(body, "email")),
  },
  "POST /organization/user/invitation/send": system(invitation, at("email")),
  "PUT /organization/user/invitation/revoke/*": management,
  "PUT /organization/user/invitation/cancel/*": management,
  "PUT /organization/user/invitation/*/*": system(invitation),
  "POST /corporate/user/invitation/send": system(invitation, at("email")),
  "PUT /corporate/user/invitation/cancel/*": management,
  "PUT /corporate/user/invitation/*/*": system(invitation),
  "POST /corporate/subAccount": system("the creation of a sub-account", at("email")),
  "POST /payments/requests": system("a request for payment"),
  "POST /contacts/export": system("an export by mail"),
  "POST /products/*/alerts/*": system("an alert about a product"),
  "POST /webhooks/export": system("an export by mail"),
  // People are reached, if not by mail: allowed together with system mail only.
  "POST /transactionalSMS/*": system(text),
  "POST /whatsapp/sendMessage": system(text),
  "POST /smsCampaigns": { kind: "audience", what: "a text campaign", ids: lists, harmless: isDraft },
  "PUT /smsCampaigns/*": { kind: "audience", what: "the change of a text campaign", ids: listsOr(1) },
  "POST /smsCampaigns/*/sendNow": { kind: "audience", what: "a text campaign", ids: idAt(1) },
  "PUT /smsCampaigns/*/status": campaignStatus("a text campaign"),
  "POST /smsCampaigns/*/sendTest": system(text),
  "POST /smsCampaigns/*/sendReport": system("a report on a campaign", at("email", "to")),
  "POST /smsCampaigns/*/exportRecipients": system("an export by mail"),
  "DELETE /smsCampaigns/*": management,
  "POST /whatsappCampaigns/template/**": management,
  "POST /whatsappCampaigns": { kind: "audience", what: "a WhatsApp campaign", ids: lists, harmless: isDraft },
  "PUT /whatsappCampaigns/*": { kind: "audience", what: "the change of a WhatsApp campaign", ids: listsOr(1) },
  "DELETE /whatsappCampaigns/*": management,

  // Suppressions and unsubscribes: these must work above all.
  "DELETE /smtp/blockedContacts/*": management,
  "POST /smtp/blockedDomains": management,
  "DELETE /smtp/blockedDomains/*": management,
  "POST /smtp/deleteHardbounces": management,
  "DELETE /smtp/log/*": management,
  "POST /contacts/lists/*/contacts/remove": management,
  "POST /contacts/lists/*/contacts/add": management,
  // A file of contacts may start an automation for each of them.
  "POST /contacts/import": {
    kind: "audience",
    what: "an import of contacts",
    ids: (body) => asList(field(body, "listIds")).map(String),
  },
  "POST /contacts": management,
  "POST /contacts/batch": management,
  "PUT /contacts/*": management,
  "DELETE /contacts/*": management,
  "* /contacts/attributes/**": management,
  "* /contacts/consent-groups/**": management,
  "* /contacts/folders/**": management,
  "POST /contacts/lists": management,
  "PUT /contacts/lists/*": management,
  "DELETE /contacts/lists/*": management,
  "POST /senders/domains": management,
  "DELETE /senders/domains/*": management,
  "PUT /senders/domains/*/authenticate": management,
  "PUT /senders/*/validate": management,
  "DELETE /senders/*": management,
  "POST /webhooks": management,
  "PUT /webhooks/*": management,
  "DELETE /webhooks/*": management,
  "POST /conversations/agentOnlinePing": management,
  "PUT /conversations/messages/*": management,
  "DELETE /conversations/messages/*": management,
  "PUT /conversations/pushedMessages/*": management,
  "DELETE /conversations/pushedMessages/*": management,
  "PUT /conversations/visitorGroup": management,
  "POST /organization/user/update/permissions": management,
  "DELETE /corporate/user/revoke/*": management,
  "PUT /corporate/user/*/permissions": management,
  "* /corporate/group/**": management,
  "POST /corporate/ssoToken": management,
  "* /corporate/subAccount/**": management,
  "PUT /corporate/subAccounts/plan": management,
  "DELETE /payments/requests/*": management,
  "* /companies/**": management,
  "* /crm/attributes/**": management,
  "* /crm/deals/**": management,
  "* /crm/files/**": management,
  "* /crm/notes/**": management,
  "* /crm/tasks/**": management,
  "* /couponCollections/**": management,
  "* /coupons/**": management,
  "* /objects/**": management,
  "* /ecommerce/**": management,
  "* /categories/**": management,
  "POST /products": management,
  "POST /products/batch": management,
  "POST /orders/status": management,
  "POST /orders/status/batch": management,
  "* /feeds/**": management,
  "* /loyalty/**": management,
});
