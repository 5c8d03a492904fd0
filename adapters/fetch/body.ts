/**
 * Bodies of requests made with `fetch`: decoded for the codecs, and written again from the copy.
 *
 * @module
 */
import { MailfuseError, type Plain, readJson, type SnapshotLimits, snapshot, type WireBody } from "../../src/adapter";

/** A body as it would leave: its bytes, and the type that says how to read them. */
export interface RawBody {
  readonly bytes: Uint8Array;
  readonly type: string;
}

const jsonType = /^application\/(?:[\w.+-]+\+)?(?:json|x-amz-json-1\.[01])\b/i;
const formType = /^application\/x-www-form-urlencoded\b/i;
const multipartType = /^multipart\/form-data\b/i;

/** Reads a request's whole body, as `fetch` would send it. */
export async function readBody(request: Request, limits: SnapshotLimits): Promise<RawBody | undefined> {
  if (request.body === null) return undefined;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body) {
    length += chunk.byteLength;
    if (length > limits.bytes) throw tooLarge();
    chunks.push(chunk);
  }
  return { bytes: Buffer.concat(chunks), type: request.headers.get("content-type") ?? "" };
}

/** Decodes a body by its type; what cannot be read stays bytes. */
export async function decodeBody(raw: RawBody | undefined, limits: SnapshotLimits): Promise<WireBody> {
  if (!raw) return { kind: "none" };
  const { bytes, type } = raw;
  // Some APIs read text as JSON, whatever the type says.
  if (jsonType.test(type) || type === "" || /^text\/plain\b/i.test(type)) {
    const value = readJson(Buffer.from(bytes).toString("utf8"));
    if (value !== undefined) return { kind: "json", value: snapshot(value, limits) };
  }
  if (formType.test(type)) {
    return { kind: "form", fields: [...new URLSearchParams(Buffer.from(bytes).toString("utf8"))] };
  }
  if (multipartType.test(type)) {
    const form = await new Response(bytes, { headers: { "content-type": type } }).formData().catch(() => undefined);
    if (form) return { kind: "form", fields: await Promise.all([...form].map(plainField)) };
  }
  return { kind: "bytes", bytes };
}

async function plainField([name, value]: [string, File | string]): Promise<readonly [string, Plain]> {
  if (typeof value === "string") return [name, value];
  const data = Buffer.from(await value.arrayBuffer());
  return [name, { kind: "file", data, filename: value.name, contentType: value.type }];
}

/** Writes a body; the original's own bytes where they say exactly the same. */
export function encodeBody(body: WireBody, original: RawBody | undefined): RawBody | FormData | undefined {
  switch (body.kind) {
    case "none":
      return undefined;
    case "bytes":
      return { bytes: body.bytes, type: original?.type ?? "" };
    case "json": {
      const text = JSON.stringify(body.value, base64);
      const type = original?.type || "application/json";
      return original && isSameJson(original, text) ? original : { bytes: Buffer.from(text), type };
    }
    case "form":
      return multipartType.test(original?.type ?? "") ? multipart(body.fields) : urlencoded(body.fields, original);
  }
}

// Codecs hold binary members as Buffers; on the wire they are base64. A Buffer's own toJSON runs first.
function base64(_key: string, value: unknown): unknown {
  const { type, data } = (typeof value === "object" && value !== null ? value : {}) as {
    type?: unknown;
    data?: unknown;
  };
  return type === "Buffer" && Array.isArray(data) ? Buffer.from(data as number[]).toString("base64") : value;
}

/**
 * Whether JSON text says what our own writing of its copy says, white space aside. Doubled names,
 * numbers that were rounded and escapes make it differ: then the copy is what leaves.
 */
function isSameJson({ bytes }: RawBody, text: string): boolean {
  const written = Buffer.from(bytes).toString("utf8");
  return written === text || withoutBlanks(written) === text;
}

function withoutBlanks(json: string): string {
  // Strings first, so that blanks in them stay.
  return json.replace(/("(?:[^"\\]|\\.)*")|[ \t\r\n]+/g, (_whole, string: string | undefined) => string ?? "");
}

function urlencoded(fields: readonly (readonly [string, Plain])[], original: RawBody | undefined): RawBody {
  const search = new URLSearchParams();
  for (const [name, value] of fields) {
    search.append(name, value instanceof Uint8Array ? Buffer.from(value).toString("base64") : String(value));
  }
  const text = search.toString();
  const given = original && Buffer.from(original.bytes).toString("utf8");
  // Some servers part pairs at a semicolon as well.
  if (original && given !== undefined && !given.includes(";") && new URLSearchParams(given).toString() === text) {
    return original;
  }
  return { bytes: Buffer.from(text), type: "application/x-www-form-urlencoded;charset=UTF-8" };
}

function multipart(fields: readonly (readonly [string, Plain])[]): FormData {
  const form = new FormData();
  for (const [name, value] of fields) {
    if (typeof value === "string") form.append(name, value);
    else if (value instanceof Uint8Array) form.append(name, new Blob([new Uint8Array(value)]), name);
    else {
      const { data, filename, contentType } = (value ?? {}) as {
        data?: unknown;
        filename?: unknown;
        contentType?: unknown;
      };
      const bytes = data instanceof Uint8Array ? new Uint8Array(data) : new Uint8Array();
      form.append(name, new Blob([bytes], { type: String(contentType ?? "") }), String(filename ?? name));
    }
  }
  return form;
}

function tooLarge(): MailfuseError {
  return new MailfuseError({
    code: "COPY_TOO_LARGE",
    message: "Expected a request within the limits of a copy, got a larger one.",
    fix: "Send it in parts, or raise the limit in the configuration.",
  });
}
