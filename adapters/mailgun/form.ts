/**
 * Forms as mailgun.js takes them: copied once, kept as plain fields, and built again for the client.
 *
 * @module
 */
import { Readable } from "node:stream";
import {
  asRecord,
  assertCleanPrototypes,
  asText,
  bufferStreams,
  type Clock,
  findStreams,
  type Plain,
  type SnapshotLimits,
  snapshot,
} from "../../src/adapter";
import type { Fields } from "./messages";

/** Fields that hold files, and the one that holds a rendered message. */
const fileFields = new Set(["attachment", "inline", "message"]);

/**
 * The copy of a form. Falsy fields are left out, as the client does. Streams are read to their end,
 * so that what they give is sent as it was judged; only then is the answer a promise.
 */
export function copyForm(data: unknown, limits: SnapshotLimits, clock: Clock): Fields | Promise<Fields> {
  assertCleanPrototypes();
  const described: Record<string, unknown> = {};
  const source = (typeof data === "object" && data !== null ? data : {}) as Record<string, unknown>;
  for (const key of Object.keys(source)) {
    const value = source[key];
    // Defined, so that a key such as `__proto__` stays a key, for the copy to refuse.
    Object.defineProperty(described, key, {
      value: fileFields.has(key) && value ? describeFiles(value) : value,
      enumerable: true,
    });
  }
  const copy = snapshot(described, limits);
  if (findStreams(copy).length === 0) return fieldsOf(copy);
  return bufferStreams(copy, { clock, bytes: limits.bytes }).then(fieldsOf);
}

function fieldsOf(copy: Plain): Fields {
  return Object.entries(asRecord(copy) ?? {}).flatMap(([name, value]): (readonly [string, Plain])[] => {
    if (!value) return [];
    return Array.isArray(value) ? value.map((one) => [name, one] as const) : [[name, value]];
  });
}

function describeFiles(value: unknown): unknown {
  return Array.isArray(value) ? value.map(describeFile) : describeFile(value);
}

/** A file as a plain object: what it was, what it is called, and its data. */
function describeFile(file: unknown): unknown {
  if (typeof file === "string" || typeof file !== "object" || file === null || file instanceof Uint8Array) return file;
  if (file instanceof Blob)
    return { kind: "blob", data: file, type: file.type, name: (file as { name?: string }).name };
  const { pipe, path } = file as { pipe?: unknown; path?: unknown };
  // form-data takes the media type from the path of a stream that was opened from a file.
  if (typeof pipe === "function") return { kind: "stream", data: file, ...(typeof path === "string" ? { path } : {}) };
  const { data, filename, contentType, knownLength } = file as Record<string, unknown>;
  return { kind: "custom", data: describeFile(data), filename, contentType, knownLength };
}

/** A form for the client, from copied fields. */
export function buildForm(fields: Fields): Record<string, unknown> {
  const form: Record<string, unknown> = {};
  for (const [name, value] of fields) {
    const built = fileFields.has(name) ? buildFile(value) : value;
    const before = Object.hasOwn(form, name) ? form[name] : undefined;
    form[name] = before === undefined ? built : Array.isArray(before) ? [...before, built] : [before, built];
  }
  return form;
}

function buildFile(file: Plain): unknown {
  const record = asRecord(file);
  if (!record) return file;
  const { kind, data, filename, contentType, knownLength } = record;
  if (kind === "blob") return buildBlob(record);
  if (kind === "stream") return { ...buildStream(record), filename: "file" };
  if (kind !== "custom") return file;
  const inner = asRecord(data)?.kind === "stream" ? buildStream(data) : { data: buildFile(data) };
  return { ...(knownLength === undefined ? {} : { knownLength }), ...inner, filename, contentType };
}

function buildBlob(record: { [key: string]: Plain }): Blob {
  const bytes = record.data instanceof Uint8Array ? record.data : Buffer.alloc(0);
  const options = { type: asText(record.type) ?? "" };
  const name = asText(record.name);
  const part = new Uint8Array(bytes);
  return name === undefined ? new Blob([part], options) : new File([part], name, options);
}

function buildStream(file: Plain): { data: Readable; knownLength: number } {
  const record = asRecord(file) ?? {};
  const bytes = record.data instanceof Uint8Array ? record.data : Buffer.alloc(0);
  const stream = Readable.from([bytes]);
  if (typeof record.path === "string") Object.defineProperty(stream, "path", { value: record.path });
  return { data: stream, knownLength: bytes.length };
}
