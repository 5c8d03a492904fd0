/**
 * What Postmark's API does, by method and path (https://postmarkapp.com/developer). What no line
 * names is refused.
 *
 * @module
 */
import { Routes } from "../../src/adapter";

/** How the mails stand in the body of a send. */
export type Layout =
  /** The body is one mail. */
  | "one"
  /** The body is a list of mails. */
  | "list"
  /** `Messages` is a list of mails. */
  | "messages"
  /** `Messages` is a list of recipients; the content stands once, beside it. */
  | "bulk";

/** What an endpoint does. */
export type Endpoint =
  | { readonly kind: "send"; readonly layout: Layout }
  | { readonly kind: "management" }
  /** Postmark itself mails the address in this field of the body, or one that only Postmark knows. */
  | { readonly kind: "system"; readonly what: string; readonly person?: string; readonly unless?: string };

const management: Endpoint = { kind: "management" };
const send = (layout: Layout): Endpoint => ({ kind: "send", layout });

/** Sends and writes; every GET is a read. */
export const endpoints = new Routes<Endpoint>({
  "POST /email": send("one"),
  "POST /email/withTemplate": send("one"),
  "POST /email/batch": send("list"),
  "POST /email/batchWithTemplates": send("messages"),
  "POST /email/bulk": send("bulk"),

  "POST /senders": { kind: "system", what: "the confirmation of a sender signature", person: "fromemail" },
  "POST /senders/*/resend": { kind: "system", what: "the confirmation of a sender signature" },
  // The person who asks is told by mail when it is done, unless they say no.
  "POST /data-removals": {
    kind: "system",
    what: "the notice of a data removal",
    person: "requestedby",
    unless: "notifywhencompleted",
  },

  // Suppressions: these must work above all.
  "POST /message-streams/*/suppressions": management,
  "POST /message-streams/*/suppressions/delete": management,
  "PUT /bounces/*/activate": management,
  "POST /message-streams": management,
  "PATCH /message-streams/*": management,
  "POST /message-streams/*/archive": management,
  "POST /message-streams/*/unarchive": management,
  "POST /templates": management,
  "PUT /templates/push": management,
  "POST /templates/validate": management,
  "PUT /templates/*": management,
  "DELETE /templates/*": management,
  "PUT /server": management,
  "POST /servers": management,
  "PUT /servers/*": management,
  "DELETE /servers/*": management,
  "POST /webhooks": management,
  "PUT /webhooks/*": management,
  "DELETE /webhooks/*": management,
  "POST /triggers/inboundRules": management,
  "DELETE /triggers/inboundRules/*": management,
  // Inbound mail is handed to the server's own web address again.
  "PUT /messages/inbound/*/bypass": management,
  "PUT /messages/inbound/*/retry": management,
  "POST /domains": management,
  "PUT /domains/*": management,
  "DELETE /domains/*": management,
  "PUT /domains/*/verifyDKIM": management,
  "PUT /domains/*/verifyReturnPath": management,
  "POST /domains/*/verifySPF": management,
  "POST /domains/*/rotateDKIM": management,
  "PUT /senders/*": management,
  "DELETE /senders/*": management,
  "POST /senders/*/verifySpf": management,
  "POST /senders/*/requestNewDkim": management,
});
