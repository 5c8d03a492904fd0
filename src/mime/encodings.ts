/**
 * Transfer encodings and character sets, decoded in linear time and without ever throwing: what
 * cannot be decoded is shown as it stands, since a reader of a guard sees no less than a person.
 *
 * @module
 */

/** Decodes a body by its `Content-Transfer-Encoding`. Unknown encodings leave the bytes as they are. */
export function decodeTransfer(bytes: Uint8Array, encoding: string): Uint8Array {
  if (encoding === "base64") return Buffer.from(latin1(bytes), "base64");
  if (encoding === "quoted-printable") return fromQuotedPrintable(bytes);
  return bytes;
}

/** Decodes text by a charset's name; unknown or missing ones are read as UTF-8. */
export function decodeText(bytes: Uint8Array, charset: string): string {
  const label = charset.toLowerCase();
  if (label === "" || label === "utf-8" || label === "utf8" || label === "us-ascii") return utf8(bytes);
  try {
    return new TextDecoder(label).decode(bytes);
  } catch {
    return utf8(bytes);
  }
}

/** Bytes as text, one character each. */
function latin1(bytes: Uint8Array): string {
  return view(bytes).toString("latin1");
}

function utf8(bytes: Uint8Array): string {
  return view(bytes).toString("utf8");
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const equals = 0x3d;
const cr = 0x0d;
const lf = 0x0a;

/** RFC 2045, 6.7. A broken escape stays as it is. */
function fromQuotedPrintable(bytes: Uint8Array): Uint8Array {
  if (!bytes.includes(equals)) return bytes;
  const out = Buffer.allocUnsafe(bytes.length);
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    if (byte !== equals) {
      out[length++] = byte;
      continue;
    }
    const value = (hex(bytes[i + 1]) << 4) | hex(bytes[i + 2]);
    if (value >= 0) {
      out[length++] = value;
      i += 2;
      continue;
    }
    const end = softBreak(bytes, i + 1);
    if (end > 0) i = end;
    else out[length++] = byte;
  }
  return out.subarray(0, length);
}

/** The last index of a soft line break that starts at `from`; 0 when there is none. */
function softBreak(bytes: Uint8Array, from: number): number {
  let i = from;
  // Blanks before the line end were added on the way; 998 is the longest line (RFC 5322, 2.1.1).
  while (i < from + 998 && (bytes[i] === 0x20 || bytes[i] === 0x09)) i++;
  if (bytes[i] === lf) return i;
  if (bytes[i] === cr) return bytes[i + 1] === lf ? i + 1 : i;
  return i >= bytes.length ? bytes.length : 0;
}

/** The value of a hexadecimal digit; negative for anything else, so that combining two stays so. */
function hex(byte: number | undefined): number {
  if (byte === undefined) return -256;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  if (byte >= 0x41 && byte <= 0x46) return byte - 0x37;
  if (byte >= 0x61 && byte <= 0x66) return byte - 0x57;
  return -256;
}

const encodedWord = /=\?([^?\s]{1,80})\?([bq])\?([^?\s]*)\?=/gi;

/**
 * Decodes the encoded-words of a header value (RFC 2047). White space between two of them is
 * dropped, and neighbours of one charset are decoded together: some writers split characters.
 */
export function decodeWords(value: string): string {
  if (!value.includes("=?")) return value;
  let out = "";
  let last = 0;
  let charset = "";
  let pending: Uint8Array[] = [];
  const flush = (): void => {
    if (pending.length > 0) out += decodeText(Buffer.concat(pending), charset);
    pending = [];
  };
  for (const match of value.matchAll(encodedWord)) {
    const between = value.slice(last, match.index);
    const next = (match[1] as string).replace(/\*.*$/, "").toLowerCase();
    const joined = pending.length > 0 && /^\s*$/.test(between);
    if (!joined || next !== charset) flush();
    if (!joined) out += between;
    charset = next;
    pending.push(wordBytes(match[2] as string, match[3] as string));
    last = match.index + match[0].length;
  }
  flush();
  return out + value.slice(last);
}

function wordBytes(encoding: string, text: string): Uint8Array {
  if (encoding === "b" || encoding === "B") return Buffer.from(text, "base64");
  return fromQuotedPrintable(Buffer.from(text.replaceAll("_", " "), "utf8"));
}
