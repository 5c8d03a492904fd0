/**
 * The fields of Postmark's mails. Postmark reads names without regard to case (its API is .NET),
 * so `bcc` is judged as `Bcc` is; one field in two spellings is refused, since one of them loses.
 *
 * @module
 */
import { asRecord, type Plain, type PlainRecord, place, type Refusal, unknownField } from "../../src/adapter";

const who = ["To", "Cc", "Bcc"];
const text = ["Subject", "HtmlBody", "TextBody", "TemplateId", "TemplateAlias", "InlineCss"];
const whole = ["From", "ReplyTo", "Tag", "MessageStream", "TrackOpens", "TrackLinks", "Attachments"];
const any = ["TemplateModel", "Metadata", "Headers"];

/** Fields by their lower-case names, as Postmark documents them. */
export type Known = ReadonlyMap<string, string>;

function known(...names: readonly string[]): Known {
  return new Map(names.map((name) => [name.toLowerCase(), name]));
}

/** Of a mail. */
export const mailFields = known(...who, ...text, ...whole, ...any);
/** Of a bulk request, beside its `Messages`. */
export const bulkFields = known(...text, ...whole, "Metadata", "Headers", "Messages");
/** Of one recipient of a bulk request. */
export const entryFields = known(...who, ...any);
export const headerFields = known("Name", "Value");
export const attachmentFields = known("Name", "Content", "ContentID", "ContentType", "ContentLength", "Disposition");
export const batchFields = known("Messages");

/** The values of an object by lower-case field name. */
export type Folded = ReadonlyMap<string, Plain>;

/** Reads an object whatever the case of its names; unknown and doubled ones go into `problems`. */
export function fold(value: Plain, fields: Known, where: string, problems: Refusal[]): Folded {
  const folded = new Map<string, Plain>();
  const record = asRecord(value);
  if (!record) {
    problems.push({
      code: "FIELD_UNKNOWN",
      message: `Expected an object, got ${Array.isArray(value) ? "a list" : value === null ? "null" : `a ${typeof value}`}.`,
      ...(where === "" ? {} : { where }),
    });
    return folded;
  }
  for (const [key, one] of Object.entries(record)) {
    const name = key.toLowerCase();
    if (!fields.has(name)) problems.push(unknownField(where, key));
    else if (folded.has(name)) problems.push(twice(where, fields.get(name) ?? name));
    folded.set(name, one);
  }
  return folded;
}

/** The same object with some of its fields replaced, in their places; `undefined` leaves one out. */
export function editFolded(value: Plain, edits: Readonly<Record<string, (was: Plain) => Plain>>): Plain {
  const record = asRecord(value);
  if (!record) return value;
  const out: PlainRecord = {};
  for (const [key, was] of Object.entries(record)) {
    const edit = edits[key.toLowerCase()];
    out[key] = edit ? edit(was) : was;
  }
  return out;
}

/** A list, or nothing; anything else is a problem. */
export function listOf(value: Plain, where: string, problems: Refusal[]): readonly Plain[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  problems.push({ code: "FIELD_UNKNOWN", message: `Expected a list, got a ${typeof value}.`, where });
  return [];
}

function twice(where: string, name: string): Refusal {
  return {
    code: "FIELD_UNKNOWN",
    message: "Expected each field once, got one in two spellings.",
    fix: `Spell it ${name}, once.`,
    where: place(where, name),
  };
}
