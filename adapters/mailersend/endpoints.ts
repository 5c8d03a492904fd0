/**
 * What MailerSend's API does, by method and path below `/v1` (https://developers.mailersend.com).
 * What no line names is refused.
 *
 * @module
 */
import { asList, asText, field, type Plain, Routes } from "../../src/adapter";

/** What an endpoint does. */
export type Endpoint =
  /** The body is one mail, or a list of them. */
  | { readonly kind: "send"; readonly layout: "one" | "list" }
  | { readonly kind: "management" }
  /** MailerSend itself mails these people; without any in the body it mails nobody, where `optional`. */
  | {
      readonly kind: "system";
      readonly what: string;
      people?(body: Plain): readonly Plain[];
      readonly optional?: true;
    };

const management: Endpoint = { kind: "management" };

const named =
  (key: string) =>
  (body: Plain): readonly Plain[] =>
    asList(field(body, key)).filter((one) => one !== "");

// Whatever comes in later is handed on to these addresses; web addresses are not people.
const forward: Endpoint = {
  kind: "system",
  what: "a standing forward of inbound mail",
  people: (body) =>
    asList(field(body, "forwards"))
      .filter((one) => asText(field(one, "type")) !== "webhook")
      .map((one) => field(one, "value") ?? one),
  optional: true,
};

const identity = "the verification of a sender";
const identityChange: Endpoint = { kind: "system", what: identity, people: named("email"), optional: true };

const alarm: Endpoint = {
  kind: "system",
  what: "alerts of a blocklist monitor",
  people: named("notify_email"),
  optional: true,
};

/** Sends and writes; every GET is a read. */
export const endpoints = new Routes<Endpoint>({
  "POST /email": { kind: "send", layout: "one" },
  "POST /bulk-email": { kind: "send", layout: "list" },
  "DELETE /message-schedules/*": management,

  "POST /identities": { kind: "system", what: identity, people: named("email") },
  "POST /identities/*/resend": { kind: "system", what: identity },
  "PUT /identities/email/*": identityChange,
  "PUT /identities/*": identityChange,
  "DELETE /identities/email/*": management,
  "DELETE /identities/*": management,
  "POST /users": { kind: "system", what: "the invitation of a user", people: named("email") },
  "PUT /users/*": management,
  "DELETE /users/*": management,
  "POST /invites/*/resend": { kind: "system", what: "the invitation of a user" },
  "DELETE /invites/*": management,
  "POST /inbound": forward,
  "PUT /inbound/*": forward,
  "DELETE /inbound/*": management,
  // People are reached, if not by mail: allowed together with system mail only.
  "POST /sms": { kind: "system", what: "a text message" },
  "POST /whatsapp/send": { kind: "system", what: "a text message" },

  // Suppressions: these must work above all.
  "POST /suppressions/*": management,
  "DELETE /suppressions/*": management,
  "DELETE /recipients/*": management,
  "POST /templates": management,
  "PUT /templates/*": management,
  "DELETE /templates/*": management,
  "POST /domains": management,
  "DELETE /domains/*": management,
  "PUT /domains/*/settings": management,
  "POST /domains/*/smtp-users": management,
  "PUT /domains/*/smtp-users/*": management,
  "DELETE /domains/*/smtp-users/*": management,
  "POST /webhooks": management,
  "PUT /webhooks/*": management,
  "DELETE /webhooks/*": management,
  "POST /token": management,
  "PUT /token/*": management,
  "DELETE /token/*": management,
  // These ask servers about addresses; no message is handed over.
  "POST /email-verification": management,
  "POST /email-verification/verify": management,
  "POST /email-verification/verify-async": management,
  "POST /blocklist-monitoring": alarm,
  "PUT /blocklist-monitoring/*": alarm,
  "DELETE /blocklist-monitoring/*": management,
  "POST /dmarc-monitoring": management,
  "PUT /dmarc-monitoring/*": management,
  "DELETE /dmarc-monitoring/*": management,
  "PUT /dmarc-monitoring/*/favorite/*": management,
  "DELETE /dmarc-monitoring/*/favorite/*": management,
  "PUT /sms-numbers/*": management,
  "DELETE /sms-numbers/*": management,
  "PUT /sms-recipients/*": management,
  "POST /sms-inbounds": management,
  "PUT /sms-inbounds/*": management,
  "DELETE /sms-inbounds/*": management,
  "POST /sms-webhooks": management,
  "PUT /sms-webhooks/*": management,
  "DELETE /sms-webhooks/*": management,
});
