/**
 * What Resend's API does, by method and path (https://resend.com/docs/api-reference). What no line
 * names is refused.
 *
 * @module
 */
import { asList, asText, field, type Plain, Routes } from "../../src/adapter";

/** What an endpoint does. */
export type Endpoint =
  /** The body is one mail, or a list of mails. */
  | { readonly kind: "send"; readonly layout: "one" | "list" }
  | { readonly kind: "management" }
  /** Resend mails people that only it knows, beside those in the body's own fields. */
  | {
      readonly kind: "audience";
      readonly what: string;
      /** Declared ids: of the list where the request names it, else of the thing that holds one. */
      ids(body: Plain, path: string): readonly string[];
      /** Fields that name people as well. */
      readonly people?: readonly ("to" | "cc" | "bcc" | "email")[];
      /** The same request in a form that mails nobody. */
      harmless?(body: Plain): boolean;
    };

const management: Endpoint = { kind: "management" };

/** The id in a path: of `/broadcasts/b_1/send` the first. */
const idAt = (segment: number) => (_body: Plain, path: string) => {
  const id = path.split("/")[segment + 1];
  return id === undefined ? [] : [id];
};

const named =
  (...keys: readonly string[]) =>
  (body: Plain) =>
    keys.flatMap((key) => asList(field(body, key))).map(String);

/** The segment a broadcast names, else the broadcast itself. */
const segmentOr = (segment: number) => (body: Plain, path: string) => {
  const ids = named("segment_id", "audience_id")(body);
  return ids.length > 0 ? ids : idAt(segment)(body, path);
};

const off = (value: Plain): boolean => value === undefined || value === null || value === false;

// What an inbox's agent may do without writing to anybody.
const quietActions = new Set(["add_labels", "mark_as_spam", "archive", "move_to_trash"]);

/** Sends and writes; every GET is a read. */
export const endpoints = new Routes<Endpoint>({
  "POST /emails": { kind: "send", layout: "one" },
  "POST /emails/batch": { kind: "send", layout: "list" },
  "PATCH /emails/*": { kind: "audience", what: "another time for a scheduled mail", ids: idAt(1) },
  "POST /emails/*/cancel": management,
  "POST /emails/*/share": management,

  "POST /broadcasts": {
    kind: "audience",
    what: "a broadcast",
    ids: named("segment_id", "audience_id"),
    harmless: (body) => off(field(body, "send")) && off(field(body, "scheduled_at")),
  },
  "POST /broadcasts/*/send": { kind: "audience", what: "a broadcast", ids: idAt(1) },
  // One that is scheduled already leaves as it is changed, and to whom.
  "PATCH /broadcasts/*": { kind: "audience", what: "the change of a broadcast", ids: segmentOr(1) },
  "POST /broadcasts/*/cancel": management,
  "POST /broadcasts/*/duplicate": management,
  "DELETE /broadcasts/*": management,

  "POST /events/send": {
    kind: "audience",
    what: "an event that starts automations",
    ids: named("event"),
    people: ["email"],
  },
  "POST /events": management,
  "PATCH /events/*": management,
  "DELETE /events/*": management,
  "POST /automations": {
    kind: "audience",
    what: "an automation",
    ids: named("name"),
    harmless: (body) => field(body, "status") === "disabled",
  },
  "PATCH /automations/*": {
    kind: "audience",
    what: "an automation",
    ids: idAt(1),
    harmless: (body) => field(body, "status") === "disabled",
  },
  "POST /automations/*/duplicate": { kind: "audience", what: "an automation", ids: idAt(1) },
  "POST /automations/*/stop": management,
  "DELETE /automations/*": management,

  // Whoever takes part in a thread, or stands in a draft, gets it.
  "POST /inboxes/*/threads/*/emails/*/reply": {
    kind: "audience",
    what: "a reply within a thread",
    ids: idAt(3),
    people: ["cc", "bcc"],
  },
  "POST /inboxes/*/threads/*/emails/*/forward": { kind: "send", layout: "one" },
  "POST /inboxes/*/drafts/*/send": { kind: "audience", what: "a stored draft", ids: idAt(3) },
  "POST /inboxes/*/drafts": management,
  "PATCH /inboxes/*/drafts/*": management,
  "DELETE /inboxes/*/drafts/*": management,
  "PATCH /inboxes/*/agent": {
    kind: "audience",
    what: "an agent that answers mail",
    ids: idAt(1),
    harmless: (body) => {
      const actions = field(body, "actions");
      return Array.isArray(actions) && actions.every((action) => quietActions.has(asText(action) ?? ""));
    },
  },
  "POST /inboxes": management,
  "PATCH /inboxes/*": management,
  "DELETE /inboxes/*": management,
  "POST /inboxes/*/labels": management,
  "PATCH /inboxes/*/labels/*": management,
  "DELETE /inboxes/*/labels/*": management,
  "PATCH /inboxes/*/threads/*": management,
  "DELETE /inboxes/*/threads/*": management,
  "POST /inboxes/*/threads/*/labels": management,
  "PUT /inboxes/*/threads/*/labels": management,
  "DELETE /inboxes/*/threads/*/labels/*": management,

  // Suppressions and unsubscribes: these must work above all.
  "POST /suppressions": management,
  "DELETE /suppressions/*": management,
  "POST /suppressions/batch/add": management,
  "POST /suppressions/batch/remove": management,
  "PATCH /contacts/*/topics": management,
  "POST /contacts": management,
  "PATCH /contacts/*": management,
  "DELETE /contacts/*": management,
  "POST /contacts/*/segments/*": management,
  "DELETE /contacts/*/segments/*": management,
  // A file of contacts may start an automation for each of them.
  "POST /contacts/imports": { kind: "audience", what: "an import of contacts", ids: (body) => importSegments(body) },
  "POST /audiences/*/contacts": management,
  "PATCH /audiences/*/contacts/*": management,
  "DELETE /audiences/*/contacts/*": management,
  "POST /segments": management,
  "PATCH /segments/*": management,
  "DELETE /segments/*": management,
  "POST /topics": management,
  "PATCH /topics/*": management,
  "DELETE /topics/*": management,
  "POST /contact-properties": management,
  "PATCH /contact-properties/*": management,
  "DELETE /contact-properties/*": management,
  "POST /templates": management,
  "PATCH /templates/*": management,
  "DELETE /templates/*": management,
  "POST /templates/*/publish": management,
  "POST /templates/*/duplicate": management,
  "POST /domains": management,
  "PATCH /domains/*": management,
  "DELETE /domains/*": management,
  "POST /domains/claim": management,
  "POST /domains/*/claim/verify": management,
  "POST /domains/*/verify": management,
  "POST /api-keys": management,
  "PATCH /api-keys/*": management,
  "DELETE /api-keys/*": management,
  "POST /webhooks": management,
  "PATCH /webhooks/*": management,
  "DELETE /webhooks/*": management,
  "POST /webhooks/*/events/*/replay": management,
  "POST /webhooks/*/signing-secret/rotate": management,
  "DELETE /oauth/grants/*": management,
});

/** The segments that a form's field `segments` lists as JSON. */
function importSegments(body: Plain): readonly string[] {
  const text = asText(field(body, "segments"));
  if (text === undefined) return [];
  try {
    const listed: unknown = JSON.parse(text);
    return Array.isArray(listed) ? listed.map((one) => asText(field(one as Plain, "id")) ?? String(one)) : [];
  } catch {
    return [];
  }
}
