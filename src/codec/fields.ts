/**
 * Reading plain values, and closed lists of the fields an API documents. A field nobody has judged
 * may name recipients, so an unknown one is a reason to refuse.
 *
 * @module
 */
import type { Refusal } from "../errors";
import type { Plain } from "../snapshot";

/** A plain object. */
export type PlainRecord = { [key: string]: Plain };

/**
 * The fields an object may have: `true` for any value, a shape for an object of that shape,
 * `[shape]` for a list of them.
 */
export interface Shape {
  readonly [field: string]: true | Shape | readonly [Shape];
}

/** The value as an object, if it is one. */
export function asRecord(value: unknown): PlainRecord | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? (value as PlainRecord) : undefined;
}

/** The value as a list; nothing is an empty one, and a single value a list of it. */
export function asList(value: Plain): readonly Plain[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

/** The value, if it is text. */
export function asText(value: Plain): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** The value as text: primitives as they print, anything else as nothing. Never runs code of the value. */
export function toText(value: Plain): string {
  return (typeof value === "object" && value !== null) || value === undefined ? "" : String(value);
}

/** An own field of an object; inherited ones are not read. */
export function field(value: Plain, key: string): Plain {
  const record = asRecord(value);
  return record && Object.hasOwn(record, key) ? record[key] : undefined;
}

const maxProblems = 100;

/** Every field that the shape does not have, and every value that is no object where it wants one. */
export function unknownFields(value: Plain, shape: Shape, where: string): Refusal[] {
  const problems: Refusal[] = [];
  check(value, shape, where, problems);
  return problems;
}

function check(value: Plain, shape: Shape, where: string, problems: Refusal[]): void {
  if (value === undefined || value === null || problems.length >= maxProblems) return;
  const record = asRecord(value);
  if (!record) return void problems.push(notAnObject(where, value));
  for (const key of Object.keys(record)) {
    const wanted = Object.hasOwn(shape, key) ? shape[key] : undefined;
    if (wanted === undefined) problems.push(unknownField(where, key));
    else if (Array.isArray(wanted)) checkList(record[key], wanted[0] as Shape, place(where, key), problems);
    else if (wanted !== true) check(record[key], wanted as Shape, place(where, key), problems);
    if (problems.length >= maxProblems) return;
  }
}

function checkList(value: Plain, shape: Shape, where: string, problems: Refusal[]): void {
  if (value === undefined || value === null) return;
  if (!Array.isArray(value)) return void problems.push(notAnObject(where, value, "a list"));
  for (let at = 0; at < value.length && problems.length < maxProblems; at++) {
    check(value[at], shape, `${where}[${at}]`, problems);
  }
}

/** A field that the provider does not document. */
export function unknownField(where: string, key: string): Refusal {
  return {
    code: "FIELD_UNKNOWN",
    message: "Expected the fields that the provider documents, got another one.",
    fix: "Leave it out, or update mailfuse if the provider has added it.",
    where: place(where, key),
  };
}

function notAnObject(where: string, value: Plain, expected = "an object"): Refusal {
  const got = Array.isArray(value) ? "a list" : typeof value === "object" ? "another object" : `a ${typeof value}`;
  return { code: "FIELD_UNKNOWN", message: `Expected ${expected}, got ${got}.`, where };
}

/** A place in a request. Keys that are no plain names are not shown: some are addresses. */
export function place(where: string, key: string): string {
  const shown = /^[\w$][\w$:-]{0,39}$/.test(key) ? key : "[…]";
  return where === "" ? shown : shown === "[…]" ? `${where}[…]` : `${where}.${shown}`;
}
