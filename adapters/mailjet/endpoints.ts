/**
 * What Mailjet's API does, by method and path (https://dev.mailjet.com/email/reference). What no
 * line names is refused.
 *
 * @module
 */
import { asList, field, type Plain, Routes } from "../../src/adapter";

/** What an endpoint does. */
export type Endpoint =
  | { readonly kind: "send"; readonly version: "v3" | "v3.1" }
  | { readonly kind: "management" }
  /** Mailjet itself mails, or texts, a person. */
  | { readonly kind: "system"; readonly what: string }
  /** Mailjet mails a stored list of contacts, beside the people named. */
  | {
      readonly kind: "audience";
      readonly what: string;
      ids(body: Plain, path: string): readonly string[];
      readonly people?: string;
    };

const management: Endpoint = { kind: "management" };

/** The id in a path: of `/v3/REST/campaigndraft/7/send` the fourth segment. */
const idAt = (_body: Plain, path: string): readonly string[] => {
  const id = path.split("/")[4];
  return id === undefined ? [] : [id];
};

const draft: Endpoint = { kind: "audience", what: "a campaign", ids: idAt };
const test: Endpoint = { kind: "audience", what: "a test of a campaign", ids: idAt, people: "Recipients" };
// One that is scheduled already leaves as it is changed, and to whom.
const change: Endpoint = {
  kind: "audience",
  what: "the change of a campaign",
  ids: (body, path) => {
    const lists = asList(field(body, "ContactsListID")).map(String);
    return lists.length > 0 ? lists : idAt(body, path);
  },
};

/** Sends and writes; every GET is a read. */
export const endpoints = new Routes<Endpoint>({
  "POST /v3/send": { kind: "send", version: "v3" },
  "POST /v3.1/send": { kind: "send", version: "v3.1" },
  "POST /v4/sms-send": { kind: "system", what: "a text message" },
  "POST /v4/sms/export": management,

  "POST /v3/REST/campaigndraft": management,
  "PUT /v3/REST/campaigndraft/*": change,
  "POST /v3/REST/campaigndraft/*/detailcontent": management,
  "POST /v3/REST/campaigndraft/*/send": draft,
  "POST /v3/REST/campaigndraft/*/schedule": draft,
  "PUT /v3/REST/campaigndraft/*/schedule": draft,
  "POST /v3/REST/campaigndraft/*/test": test,
  "DELETE /v3/REST/campaigndraft/*/schedule": management,
  "POST /v3/REST/newsletter": management,
  "PUT /v3/REST/newsletter/*": change,
  "POST /v3/REST/newsletter/*/detailcontent": management,
  "POST /v3/REST/newsletter/*/send": draft,
  "POST /v3/REST/newsletter/*/schedule": draft,
  "PUT /v3/REST/newsletter/*/schedule": draft,
  "POST /v3/REST/newsletter/*/test": test,
  "DELETE /v3/REST/newsletter/*/schedule": management,

  "POST /v3/REST/sender": { kind: "system", what: "the activation of a sender" },
  "POST /v3/REST/sender/*/validate": { kind: "system", what: "the activation of a sender" },
  "PUT /v3/REST/sender/*": management,
  "DELETE /v3/REST/sender/*": management,

  // Exclusions and unsubscribes: these must work above all.
  "* /v3/REST/contact/**": management,
  "* /v3/REST/contactslist/**": management,
  "* /v3/REST/contactslistsignup/**": management,
  "* /v3/REST/listrecipient/**": management,
  "* /v3/REST/contactdata/**": management,
  "* /v3/REST/contactmetadata/**": management,
  "* /v3/REST/contactfilter/**": management,
  "* /v3/REST/csvimport/**": management,
  "* /v3/DATA/contactslist/**": management,
  "DELETE /v4/contacts/*": management,
  "DELETE /v4/REST/contacts/*": management,
  "* /v3/REST/template/**": management,
  "* /v3/REST/eventcallbackurl/**": management,
  // Inbound mail is handed to a web address.
  "* /v3/REST/parseroute/**": management,
  "* /v3/REST/dns/**": management,
  "* /v3/REST/metasender/**": management,
  "* /v3/REST/apikey/**": management,
});
