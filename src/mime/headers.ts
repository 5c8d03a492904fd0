/**
 * Header blocks of rendered messages (RFC 5322, 2.2), read the way the most generous reader would:
 * guards must see a recipient header that any program on the way may see.
 *
 * @module
 */

/** A header block: names and unfolded values in order, and where the body starts. */
export interface HeaderBlock {
  /** Canonical name ({@link headerName}) and value; encoded-words are left encoded. */
  readonly headers: readonly (readonly [string, string])[];
  /** Index of the first byte of the body. */
  readonly body: number;
}

/**
 * Reads the header block of a message.
 *
 * Lines end at CR LF, LF or CR: nodemailer 10 makes CR LF of a lone CR on the wire, so one may start
 * a header there. The block ends only at an empty line that every reader takes for one. Lines that
 * are no header are passed over, and what follows is still read.
 */
export function readHeaders(bytes: Buffer): HeaderBlock {
  let from = 0;
  while (bytes[from] === 0x0a || bytes[from] === 0x0d) from++;
  const block = readBlock(bytes, from, bytes.length);
  // Behind an empty first line, most see text where some see headers: it is read as both.
  return from === 0 ? block : { headers: block.headers, body: afterLineEnd(bytes, 0) };
}

/** Reads the header block of a part, which may be empty. */
export function readPartHeaders(bytes: Buffer, start: number, end: number): HeaderBlock {
  const first = bytes[start];
  if (first === 0x0a || first === 0x0d) return { headers: [], body: Math.min(afterLineEnd(bytes, start), end) };
  return readBlock(bytes, start, end);
}

function afterLineEnd(bytes: Buffer, at: number): number {
  return bytes[at] === 0x0d && bytes[at + 1] === 0x0a ? at + 2 : at + 1;
}

function readBlock(bytes: Buffer, from: number, end: number): HeaderBlock {
  const [stop, body] = endOfHeaders(bytes, from, end);
  const headers: [string, string][] = [];
  let current: [string, string] | undefined;
  const take = (line: string): void => {
    const first = line.charCodeAt(0);
    if (first === 0x20 || first === 0x09) {
      if (current) current[1] += line;
      return;
    }
    const colon = line.indexOf(":");
    if (colon <= 0) return;
    current = [headerName(line.slice(0, colon)), line.slice(colon + 1)];
    headers.push(current);
  };
  for (const piece of bytes.toString("utf8", from, stop).split("\n")) {
    const line = piece.endsWith("\r") ? piece.slice(0, -1) : piece;
    if (line.includes("\r")) for (const part of line.split("\r")) take(part);
    else take(line);
  }
  for (const header of headers) header[1] = header[1].trim();
  return { headers, body };
}

const emptyLine = Buffer.from("\n\r\n");
const bareEmptyLine = Buffer.from("\n\n");

/** Where the header lines stop and where the body starts. */
function endOfHeaders(bytes: Buffer, from: number, end: number): [stop: number, body: number] {
  const region = bytes.subarray(from, end);
  const crlf = region.indexOf(emptyLine);
  const lf = (crlf < 0 ? region : region.subarray(0, crlf)).indexOf(bareEmptyLine);
  if (lf >= 0) return [from + lf, from + lf + 2];
  return crlf >= 0 ? [from + crlf, from + crlf + 3] : [end, end];
}

const plainName = /^[!-9;-@[-~]+$/;

/**
 * A header's name as it is compared: compatibility forms resolved (NFKC), white space, controls and
 * invisible characters removed, lower case. Mail programs do some of this each in their own way:
 * nodemailer makes `Bcc` of `B c c` and of `Bcc` with a NUL behind it.
 */
export function headerName(name: string): string {
  const lower = name.toLowerCase();
  if (plainName.test(lower)) return lower;
  return name
    .normalize("NFKC")
    .replace(/[\s\p{C}\p{Z}\p{Default_Ignorable_Code_Point}:]/gu, "")
    .toLowerCase();
}

/** A structured header: the value before the first semicolon, in lower case, and its parameters. */
export interface Structured {
  readonly value: string;
  readonly params: ReadonlyMap<string, string>;
}

const maxParams = 100;
const parameter = /;[ \t]*([^\s=;"]{1,80})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s;]*))/g;

/** Reads `Content-Type` and `Content-Disposition` values, continued parameters (RFC 2231) included. */
export function readStructured(header: string | undefined): Structured {
  const text = header ?? "";
  const semicolon = text.indexOf(";");
  const params = new Map<string, string>();
  if (semicolon >= 0) {
    let count = 0;
    for (const match of text.matchAll(parameter)) {
      if (++count > maxParams) break;
      // `name*0*`, `name*1`: sections come in order from every writer seen.
      const key = (match[1] as string).toLowerCase().replace(/\*.*$/, "");
      const value = match[2] === undefined ? (match[3] as string) : match[2].replace(/\\(.)/g, "$1");
      params.set(key, (params.get(key) ?? "") + value);
    }
  }
  return { value: (semicolon < 0 ? text : text.slice(0, semicolon)).trim().toLowerCase(), params };
}
