/**
 * What Customer.io's APIs do, by method and path: the App API below `/v1`, the Track API below `/api/v1` and
 * `/api/v2`, and the Pipelines API below `/v1` of its own host (https://docs.customer.io/integrations/api). The
 * paths are disjoint. What no line names is refused.
 *
 * @module
 */
import { asList, asRecord, asText, field, type Plain, Routes } from "../../src/adapter";
import { batchEvents, broadcastIds, entityEvents, type Told } from "./events";

/** What an endpoint does. */
export type Endpoint =
  | { readonly kind: "send" }
  | { readonly kind: "management" }
  /** A read that is a POST, since its filter is long. */
  | { readonly kind: "read" }
  /** Customer.io writes to a person through another channel, or to whom these fields name later on. */
  | {
      readonly kind: "system";
      readonly what: string;
      readonly people?: readonly string[];
      /** Without such people it mails nobody. */
      readonly optional?: true;
    }
  /** Customer.io mails people that only it knows, beside those named. */
  | {
      readonly kind: "audience";
      readonly what: string;
      /** Whom it reaches; `undefined` when the request can be none of this kind. */
      read(body: Plain, path: string): Told | undefined;
      /** An everyday event, which a client that no fuse holds may go on reporting. */
      readonly event?: true;
    };

const management: Endpoint = { kind: "management" };
const read: Endpoint = { kind: "read" };
const channel = (what: string): Endpoint => ({ kind: "system", what });

/** An id in a path, with what it is an id of: numbers of different things are alike. */
const idAt = (what: string, segment: number) => (_body: Plain, path: string) => ({
  audiences: [`${what}:${path.split("/")[segment + 1] ?? ""}`],
  people: [],
});

/** Where the people of an event stand, beside the person it is about. */
const recipients = (body: Plain) =>
  [
    field(body, "recipient"),
    field(field(body, "data"), "recipient"),
    field(field(body, "properties"), "recipient"),
  ].filter((one) => one !== undefined && one !== null);

const event = (name: string): Endpoint => ({
  kind: "audience",
  what: "an event that starts campaigns",
  event: true,
  read: (body) => ({
    audiences: [asText(field(body, name)) ?? ""].filter((one) => one !== ""),
    people: recipients(body),
  }),
});

const events = (told: (body: Plain) => Told | undefined): Endpoint => ({
  kind: "audience",
  what: "events that start campaigns",
  event: true,
  read: told,
});

const broadcast: Endpoint = { kind: "audience", what: "a broadcast", read: broadcastIds };
const newsletter: Endpoint = { kind: "audience", what: "a newsletter", read: idAt("newsletter", 2) };

const texts = new Set("name subject body body_plain body_amp preheader preheader_text language layout".split(" "));

/** The step of a campaign: its text is a template, all else says whether and to whom it leaves. */
const step = (what: string): Endpoint => ({
  kind: "audience",
  what: `the change of a ${what}`,
  read: (body, path) =>
    asRecord(body) && Object.keys(body as object).every((key) => texts.has(key))
      ? { audiences: [], people: [], harmless: true }
      : { ...idAt(what, 2)(body, path), people: ["to", "cc", "bcc"].flatMap((name) => asList(field(body, name))) },
});

/** The text of mails that are made from it, and who gets a copy of each. */
const text: Endpoint = {
  kind: "system",
  what: "a standing copy of every mail made from a stored message",
  people: ["to", "cc", "bcc"],
  optional: true,
};

/** Sends and writes; every GET is a read. */
export const endpoints = new Routes<Endpoint>({
  "POST /v1/send/email": { kind: "send" },
  "POST /v1/send/push": channel("a push notification"),
  "POST /v1/send/sms": channel("a text message"),
  "POST /v1/send/whatsapp": channel("a WhatsApp message"),
  "POST /v1/send/inbox_message": channel("an inbox message"),
  "POST /v1/send/in_app": channel("an in-app message"),
  "POST /v1/campaigns/*/triggers": broadcast,
  "POST /v1/api/campaigns/*/triggers": broadcast,
  "POST /v1/newsletters/*/send": newsletter,
  "POST /v1/newsletters/*/schedule": newsletter,
  "PUT /v1/campaigns/*/actions/*": step("campaign"),
  "PUT /v1/campaigns/*/actions/*/language/*": step("campaign"),
  "PUT /v1/broadcasts/*/actions/*": step("broadcast"),
  "PUT /v1/broadcasts/*/actions/*/language/*": step("broadcast"),
  // A file of people may start a campaign for each of them.
  "POST /v1/imports": {
    kind: "audience",
    what: "an import of people",
    read: (body) => {
      const name = asText(field(field(body, "import"), "name")) ?? "";
      return { audiences: name === "" ? [] : [`import:${name}`], people: [] };
    },
  },

  // Events, of the Track API and of Pipelines.
  "POST /api/v1/customers/*/events": event("name"),
  "POST /api/v1/events": event("name"),
  "POST /api/v1/forms/*/submit": {
    kind: "audience",
    what: "a form that starts campaigns",
    event: true,
    read: (body, path) => ({ ...idAt("form", 3)(body, path), people: asList(field(field(body, "data"), "email")) }),
  },
  "POST /api/v2/entity": events(entityEvents),
  "POST /api/v2/batch": events(batchEvents),
  "POST /v1/track": event("event"),
  "POST /v1/page": event("name"),
  "POST /v1/screen": event("name"),
  "POST /v1/batch": events(batchEvents),

  // People, and above all who gets no mail.
  "POST /api/v1/customers/*/suppress": management,
  "POST /api/v1/customers/*/unsuppress": management,
  "POST /unsubscribe/*": management,
  "POST /v1/esp/suppression/*/*": management,
  "DELETE /v1/esp/suppression/*/*": management,
  "PUT /api/v1/customers/*": management,
  "DELETE /api/v1/customers/*": management,
  "PUT /api/v1/customers/*/devices": management,
  "DELETE /api/v1/customers/*/devices/*": management,
  "POST /api/v1/merge_customers": management,
  "POST /api/v1/push/events": management,
  "POST /api/v1/metrics": management,
  "POST /api/v1/segments/*/add_customers": management,
  "POST /api/v1/segments/*/remove_customers": management,
  "POST /v1/identify": management,
  "POST /v1/group": management,
  "POST /v1/alias": management,

  "POST /v1/customers": read,
  "POST /v1/customers/attributes": read,
  "POST /v1/objects": read,
  "POST /v1/exports/customers": management,
  "POST /v1/exports/deliveries": management,
  "POST /v1/segments": management,
  "DELETE /v1/segments/*": management,
  "PUT /v1/transactional/*/content/*": text,
  "PUT /v1/transactional/*/language/*": text,
  "POST /v1/newsletters": management,
  "DELETE /v1/newsletters/*": management,
  "PUT /v1/newsletters/*/contents/*": text,
  "POST /v1/newsletters/*/language": text,
  "PUT /v1/newsletters/*/language/*": text,
  "DELETE /v1/newsletters/*/language/*": management,
  "POST /v1/newsletters/*/test_groups": management,
  "POST /v1/newsletters/*/test_group/*/language": text,
  "PUT /v1/newsletters/*/test_group/*/language/*": text,
  "DELETE /v1/newsletters/*/test_group/*/language/*": management,
  "* /v1/design_studio/**": management,
  "* /v1/assets/**": management,
  "* /v1/collections/**": management,
  "* /v1/reporting_webhooks/**": management,
  "* /v1/snippets/**": management,
  "POST /v1/data_index/attributes": management,
  "POST /v1/data_index/events": management,
});
