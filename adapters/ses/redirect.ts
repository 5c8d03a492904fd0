/**
 * Redirected copies of the operations of SES that mail.
 *
 * @module
 */
import {
  type Address,
  asList,
  asRecord,
  asText,
  field,
  isUnsubscribe,
  notRedirectable,
  originalsHeader,
  originalsOf,
  type Plain,
  type RedirectNote,
  redirectMime,
} from "../../src/adapter";
import { v1Operations, v2Operations } from "./operations";
import { edit, type SesRequest } from "./wire";

/**
 * The same operation with every recipient replaced. Formats without headers (templates and simple
 * mail of v1) cannot say whom they were for.
 */
export function redirectRequest(request: SesRequest, to: Address, note: RedirectNote): SesRequest {
  const { operation, version } = request;
  if ((version === "v2" ? v2Operations : v1Operations).get(operation) !== "send") {
    throw notRedirectable();
  }
  const inbox: Plain = { ToAddresses: [to.address] };
  const subject = (was: Plain): Plain => (typeof was === "string" ? `${note.subjectPrefix} ${was}` : was);
  const raw = (was: Plain): Plain => (was instanceof Uint8Array ? redirectMime(was, to, note) : was);
  const headers = (was: Plain): Plain => [
    ...withoutUnsubscribe(was),
    { Name: originalsHeader, Value: originalsOf(note) },
  ];
  const edits: readonly (readonly [readonly string[], (was: Plain) => Plain])[] = [
    [["Destination"], () => inbox],
    [["Destinations", "Destination"], () => inbox],
    [["BulkEmailEntries", "Destination"], () => inbox],
    [["BulkEmailEntries", "ReplacementHeaders"], (was) => [...withoutUnsubscribe(was)]],
    [["Content", "Raw", "Data"], raw],
    [["RawMessage", "Data"], raw],
    [["Content", "Simple", "Subject", "Data"], subject],
    [["Message", "Subject", "Data"], subject],
    [["Content", "Template", "TemplateContent", "Subject"], subject],
    [["DefaultContent", "Template", "TemplateContent", "Subject"], subject],
    [["Content", "Simple"], (was) => withHeaders(was, headers)],
    [["Content", "Template"], (was) => withHeaders(was, headers)],
    [["DefaultContent", "Template"], (was) => withHeaders(was, headers)],
  ];
  const changed = edits.reduce((input, [path, change]) => edit(input, path, change), request.input);
  return { ...request, input: addressed(changed, operation, inbox, to) };
}

/** A rendered message may come without an envelope; the copy gets one. */
function addressed(input: Plain, operation: string, inbox: Plain, to: Address): Plain {
  // Unsubscribe links that SES puts in would unsubscribe the inbox.
  const { ListManagementOptions: _links, ...rest } = asRecord(input) ?? {};
  if (operation === "SendRawEmail") return { ...rest, Destinations: [to.address] };
  return operation === "SendEmail" ? { ...rest, Destination: inbox } : rest;
}

function withHeaders(carrier: Plain, change: (was: Plain) => Plain): Plain {
  return { ...(carrier as { [key: string]: Plain }), Headers: change(field(carrier, "Headers")) };
}

function withoutUnsubscribe(headers: Plain): Plain[] {
  return asList(headers).filter((header) => !isUnsubscribe(asText(field(header, "Name")) ?? ""));
}
