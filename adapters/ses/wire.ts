/**
 * The two wire formats of SES: REST with JSON (v2), and the query protocol (v1), which also works
 * by GET. Read into, and written from, one form.
 *
 * @module
 */
import { asRecord, type Plain, type PlainRecord, toText, type WireRequest } from "../../src/adapter";
import { v2RouteOf, v2Routes } from "./operations";

/** One operation with its input; binary members are Buffers. */
export interface SesRequest {
  readonly version: "v1" | "v2";
  /** As the API names it, for example `SendEmail`. Empty when it is none that is known. */
  readonly operation: string;
  readonly input: Plain;
  readonly templates?: WireRequest["templates"];
}

/** Reads a request. */
export function readWire(request: WireRequest): SesRequest {
  const { body, method, path, templates } = request;
  const given = templates ? { templates } : {};
  const at = path.toLowerCase().lastIndexOf("/v2/email/");
  if (at >= 0) {
    const operation = v2Routes.find(method, path.slice(at))?.value ?? "";
    return { version: "v2", operation, input: fromBase64(body.kind === "json" ? body.value : undefined), ...given };
  }
  const fields = body.kind === "form" ? [...request.query, ...body.fields] : request.query;
  const action = fields.filter(([name]) => name === "Action");
  const operation = action.length === 1 ? toText(action[0]?.[1]) : "";
  return { version: "v1", operation, input: fromBase64(nest(fields)), ...given };
}

/** Writes a request that mails. */
export function writeWire(request: SesRequest): WireRequest {
  const given = request.templates ? { templates: request.templates } : {};
  const [method, path] = request.version === "v2" ? (v2RouteOf(request.operation) ?? ["POST", ""]) : ["POST", "/"];
  const body: WireRequest["body"] =
    request.version === "v2"
      ? { kind: "json", value: request.input }
      : {
          kind: "form",
          fields: [["Action", request.operation], ["Version", "2010-12-01"], ...flatten(request.input, "")],
        };
  return { method, path, query: [], headers: [], body, ...given };
}

/** `Destination.ToAddresses.member.1` and so on, as objects and lists. Order of members is by number. */
function nest(fields: readonly (readonly [string, Plain])[]): Plain {
  const root: PlainRecord = {};
  for (const [name, value] of fields) {
    if (name === "Action" || name === "Version") continue;
    const keys = name.split(".").filter((key) => key !== "member");
    let at: PlainRecord = root;
    for (const key of keys.slice(0, -1)) {
      const own = Object.hasOwn(at, key) ? asRecord(at[key]) : undefined;
      const next: PlainRecord = own ?? {};
      if (!own) set(at, key, next);
      at = next;
    }
    set(at, keys.at(-1) ?? "", value);
  }
  return lists(root, 0);
}

// Defined, so that a field such as `__proto__` stays a field.
function set(record: PlainRecord, key: string, value: Plain): void {
  Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Objects whose keys are all numbers are lists. */
function lists(value: Plain, depth: number): Plain {
  const record = asRecord(value);
  if (!record || depth > 20) return value;
  const keys = Object.keys(record);
  if (keys.length > 0 && keys.every((key) => /^\d{1,6}$/.test(key))) {
    return keys.sort((a, b) => Number(a) - Number(b)).map((key) => lists(record[key], depth + 1));
  }
  for (const key of keys) set(record, key, lists(record[key], depth + 1));
  return record;
}

function flatten(value: Plain, path: string): (readonly [string, Plain])[] {
  const under = (key: string) => (path === "" ? key : `${path}.${key}`);
  if (Array.isArray(value)) return value.flatMap((item, at) => flatten(item, under(`member.${at + 1}`)));
  const record = asRecord(value);
  if (record) return Object.entries(record).flatMap(([key, inner]) => flatten(inner, under(key)));
  return value === undefined || value === null ? [] : [[path, value]];
}

/** Where the operations that mail have binary members. */
const binary = [
  ["Content", "Raw", "Data"],
  ["RawMessage", "Data"],
  ["Content", "Simple", "Attachments", "RawContent"],
  ["Content", "Template", "Attachments", "RawContent"],
  ["DefaultContent", "Template", "Attachments", "RawContent"],
];

/** Binary members of an input as Buffers; `decode` says what text in their place means. */
export function withBinary(input: Plain, decode: (text: string) => Buffer): Plain {
  return binary.reduce(
    (changed, path) => edit(changed, path, (value) => (typeof value === "string" ? decode(value) : value)),
    input,
  );
}

function fromBase64(input: Plain): Plain {
  return withBinary(input, (text) => Buffer.from(text, "base64"));
}

/** The value with one member changed, wherever lists lead to it; itself where nothing is. Members that are not there stay so. */
export function edit(value: Plain, path: readonly string[], change: (was: Plain) => Plain): Plain {
  const [key, ...rest] = path;
  if (key === undefined) return change(value);
  if (Array.isArray(value)) {
    const changed = value.map((item) => edit(item, path, change));
    return changed.every((item, at) => item === value[at]) ? value : changed;
  }
  const record = asRecord(value);
  if (!record || !Object.hasOwn(record, key)) return value;
  const was = record[key];
  const now = edit(was, rest, change);
  return now === was ? value : { ...record, [key]: now };
}
