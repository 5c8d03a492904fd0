/**
 * What Loops' API does, by method and path below `/api` (https://loops.so/docs/api-reference). What no
 * line names is refused.
 *
 * @module
 */
import { asRecord, asText, field, type Plain, Routes } from "../../src/adapter";

/** What an endpoint does. */
export type Endpoint =
  /** One transactional mail, or the test mails of a stored message to people named in `emails`. */
  | { readonly kind: "send"; readonly layout: "one" | "preview" }
  | { readonly kind: "management" }
  /** Loops mails people that only it knows, beside those in the body's own fields. */
  | {
      readonly kind: "audience";
      readonly what: string;
      /** Declared ids: of the list or segment where the request names one, else of the thing that holds one. */
      ids(body: Plain, path: string): readonly string[];
      /** Fields that name people as well. */
      readonly people?: readonly string[];
      /** The same request in a form that mails nobody. */
      harmless?(body: Plain): boolean;
    }
  /** A setting that lets Loops mail the people in these fields later on. */
  | { readonly kind: "system"; readonly what: string; readonly people: readonly string[] };

const management: Endpoint = { kind: "management" };

/** The id in a path: of `/v1/campaigns/c_1` the third segment. */
const idAt = (segment: number) => (_body: Plain, path: string) => {
  const id = path.split("/")[segment + 1];
  return id === undefined ? [] : [id];
};

const named =
  (...keys: readonly string[]) =>
  (body: Plain) =>
    keys.flatMap((key) => asText(field(body, key)) ?? []).filter((id) => id !== "");

/** The list and the segment a campaign names, else the campaign itself. */
const listOr = (segment: number) => (body: Plain, path: string) => {
  const ids = named("mailingListId", "audienceSegmentId")(body);
  return ids.length > 0 ? ids : idAt(segment)(body, path);
};

const nothing = (value: Plain): boolean => value === undefined || value === null;

// Of a campaign: what says neither when it leaves nor to whom.
const labels = new Set(["name", "campaignGroupId"]);
const onlyLabels = (body: Plain) => Object.keys(asRecord(body) ?? { other: 1 }).every((key) => labels.has(key));

/** A workflow that is under way sends to whoever passes it, so its change is judged as a mailing. */
const workflow: Endpoint = {
  kind: "audience",
  what: "the change of a workflow",
  ids: idAt(2),
  harmless: (body) => field(body, "dryRun") === true,
};

/** Sends and writes; every GET is a read. */
export const endpoints = new Routes<Endpoint>({
  "POST /v1/transactional": { kind: "send", layout: "one" },
  "POST /v1/email-messages/*/preview": { kind: "send", layout: "preview" },

  "POST /v1/events/send": {
    kind: "audience",
    what: "an event that starts workflows",
    ids: named("eventName"),
    people: ["email"],
  },
  "POST /v1/campaigns": {
    kind: "audience",
    what: "a campaign",
    ids: named("mailingListId", "audienceSegmentId"),
    harmless: (body) => nothing(field(body, "scheduling")),
  },
  // One that is scheduled already leaves as it is changed, and to whom.
  "POST /v1/campaigns/*": { kind: "audience", what: "the change of a campaign", ids: listOr(2), harmless: onlyLabels },
  "POST /v1/workflows/*/mailing-list": workflow,
  "POST /v1/workflows/*/nodes": workflow,
  "POST /v1/workflows/*/nodes/*": workflow,
  "POST /v1/workflows/*/nodes/*/add-branch": workflow,
  "POST /v1/workflows/*/nodes/*/reroute": workflow,
  "DELETE /v1/workflows/*/nodes/*": workflow,
  "DELETE /v1/workflows/*/nodes/*/recursive": workflow,
  // Made as a draft; a person starts it in Loops.
  "POST /v1/workflows": management,
  "POST /v1/workflows/*": management,
  "DELETE /v1/workflows/*": management,

  // Everything made from this message is copied to these from then on.
  "POST /v1/email-messages/*": {
    kind: "system",
    what: "a standing copy of every mail made from a stored message",
    people: ["ccEmail", "bccEmail"],
  },

  // Contacts, and above all who gets no mail.
  "POST /v1/contacts/create": management,
  "PUT /v1/contacts/update": management,
  "POST /v1/contacts/update": management,
  "POST /v1/contacts/delete": management,
  "DELETE /v1/contacts/suppression": management,
  "POST /v1/contacts/properties": management,
  "POST /v1/audience-segments": management,
  "POST /v1/transactional-emails": management,
  "POST /v1/transactional-emails/*": management,
  "POST /v1/transactional-emails/*/draft": management,
  "POST /v1/transactional-emails/*/publish": management,
  "POST /v1/transactional-groups": management,
  "POST /v1/transactional-groups/*": management,
  "POST /v1/campaign-groups": management,
  "POST /v1/campaign-groups/*": management,
  "POST /v1/themes": management,
  "POST /v1/themes/*": management,
  "POST /v1/components": management,
  "POST /v1/components/*": management,
  "POST /v1/uploads": management,
  "POST /v1/uploads/*/complete": management,
});
