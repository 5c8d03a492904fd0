/**
 * Quoted-printable as nodemailer writes it, to the byte: RFC 2045 leaves open where lines break, and
 * a mail is to be the same with a fuse and without. nodemailer finds its breaks by regular
 * expressions on pieces of text; here each line is looked at once, as bytes.
 *
 * @module
 */

const equals = 0x3d;
const cr = 0x0d;
const lf = 0x0a;
/** The longest line, and how far before its end nodemailer looks for a better place to break. */
const longest = 76;
const margin = 25;

/** nodemailer 10 encodes larger contents in pieces of this size, each broken by itself. */
const pieceSize = 64 * 1024;

/** Whether all versions of nodemailer write this text alike. Some encode blanks at its end by themselves. */
export function isPlainText(bytes: Buffer): boolean {
  return bytes.length <= pieceSize && !isBlank(bytes[bytes.length - 1]);
}

/** Encodes text that {@link isPlainText}. */
export function quotedPrintable(bytes: Buffer): string {
  const escaped = Buffer.allocUnsafe(bytes.length * 3);
  const end = writeEscaped(bytes, escaped);
  const text = escaped.toString("latin1", 0, end);
  if (end <= longest) return text;
  let out = "";
  let from = 0;
  for (let line = 0; line < end; ) {
    const next = lineEnd(escaped, line, end);
    line = Math.abs(next);
    if (next > 0) continue;
    out += `${text.slice(from, line)}=\r\n`;
    from = line;
  }
  return out + text.slice(from);
}

/** Writes every byte as itself or as its escape; answers with the length. */
function writeEscaped(bytes: Buffer, out: Buffer): number {
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    if (byte > 0x20 ? byte < 0x7f && byte !== equals : isLiteralBlank(byte, bytes[i + 1])) {
      out[length++] = byte;
      continue;
    }
    out[length++] = equals;
    out[length++] = digit(byte >> 4);
    out[length++] = digit(byte & 15);
  }
  return length;
}

/** Line ends, and blanks that none follows. */
function isLiteralBlank(byte: number, next: number | undefined): boolean {
  if (isBlank(byte)) return next !== undefined && next !== lf && next !== cr;
  return byte === lf || byte === cr;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09;
}

function digit(value: number): number {
  return value < 10 ? 0x30 + value : 0x37 + value;
}

/** Where the line that starts at `start` ends; negative where it has to be broken there. */
function lineEnd(text: Buffer, start: number, end: number): number {
  let to = Math.min(start + longest, end);
  for (let i = start + 1; i < to; i++) if (text[i] === lf && text[i - 1] === cr) return i + 1;
  if (text[to - 1] === lf) return to;
  const tail = Math.max(start, to - margin);
  for (let i = to - 1; i >= tail && text[i] !== cr; i--) if (text[i] === lf) return i + 1;
  const pause = to - start > longest - margin ? lastPause(text, tail, to) : -1;
  to = pause >= 0 ? pause + 1 : beforeEscape(text, start, to, end);
  if (to >= end || text[to - 1] === lf) return to;
  if (to - start === longest) to -= endsEscaped(text, start, to) ? 3 : 1;
  return -to;
}

/** The last blank or punctuation mark in a range. */
function lastPause(text: Buffer, from: number, to: number): number {
  for (let i = to - 1; i >= from; i--) if (pauses.includes(text[i] as number)) return i;
  return -1;
}

const pauses: readonly number[] = [..." \t.,!?"].map((sign) => sign.charCodeAt(0));

/** Steps back over an escape that the line's end would split, and over a character of several escapes. */
function beforeEscape(text: Buffer, start: number, to: number, end: number): number {
  if (text[to - 1] === equals) to -= 1;
  else if (text[to - 2] === equals && to - 2 >= start) to -= 2;
  while (to - start > 3 && to < end && endsEscaped(text, start, to) && !isShortRun(text, start, to)) {
    const byte = (value(text[to - 2]) << 4) | value(text[to - 1]);
    if (byte < 0x80) break;
    to -= 3;
    if (byte >= 0xc0) break;
  }
  return to;
}

function endsEscaped(text: Buffer, start: number, to: number): boolean {
  return to - start >= 3 && text[to - 3] === equals;
}

/** Whether a line is nothing but one to four escapes. */
function isShortRun(text: Buffer, start: number, to: number): boolean {
  if ((to - start) % 3 !== 0 || to - start > 12) return false;
  for (let i = start; i < to; i += 3) if (text[i] !== equals) return false;
  return true;
}

function value(digit: number | undefined): number {
  const sign = digit as number;
  return sign < 0x41 ? sign - 0x30 : sign - 0x37;
}
