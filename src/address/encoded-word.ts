/**
 * Encoded-words in display names (RFC 2047), as mail programs write names outside ASCII. Readers
 * differ on whether they decode before or after they look for addresses, so only those pass that
 * are harmless either way; the name is kept decoded and the mail client encodes it anew.
 *
 * @module
 */
import { findControl } from "./characters";
import { encodedWord, isProblem, type Problem } from "./problems";

const word = /^=\?([A-Za-z0-9._-]+)(?:\*[A-Za-z0-9-]*)?\?([BbQq])\?([!->@-~]*)\?=$/;

interface Encoded {
  readonly charset: string;
  readonly bytes: Uint8Array;
}

/** `name` with its encoded-words decoded. Call it for names that contain `=?`. */
export function decodeWords(name: string): { readonly name: string } | Problem {
  let decoded = "";
  let pending: Encoded[] = [];
  for (const part of name.split(/[ \t]+/)) {
    const encoded = readWord(part);
    if (isProblem(encoded)) return encoded;
    if (encoded.word) {
      pending.push(encoded.word);
      continue;
    }
    const text = decode(pending);
    if (text === undefined) return encodedWord;
    decoded = join(join(decoded, text), part);
    pending = [];
  }
  const text = decode(pending);
  if (text === undefined) return encodedWord;
  decoded = join(decoded, text);
  // What decodes to structure, or to another encoded-word, means one thing to those who decode
  // first and another to those who do not.
  if (/[@<>\uff20\ufe6b\uff1c\uff1e]|=\?/.test(decoded) || findControl(decoded) !== undefined) return encodedWord;
  return { name: decoded };
}

function join(before: string, after: string): string {
  return before === "" || after === "" ? before + after : `${before} ${after}`;
}

function readWord(part: string): { readonly word?: Encoded } | Problem {
  if (!part.includes("=?") && !part.includes("?=")) return {};
  const match = word.exec(part);
  if (!match) return encodedWord;
  const [, charset = "", encoding = "", text = ""] = match;
  const bytes = /b/i.test(encoding) ? fromBase64(text) : fromQ(text);
  return bytes ? { word: { charset: charset.toLowerCase(), bytes } } : encodedWord;
}

function fromBase64(text: string): Uint8Array | undefined {
  return /^[A-Za-z0-9+/]*={0,2}$/.test(text) ? Buffer.from(text, "base64") : undefined;
}

function fromQ(text: string): Uint8Array | undefined {
  if (/=(?![0-9A-Fa-f]{2})/.test(text)) return undefined;
  const octets = text
    .replaceAll("_", " ")
    .replace(/=(..)/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(octets, "latin1");
}

/** Neighbours of one charset are decoded together: some writers split a character between them. */
function decode(words: readonly Encoded[]): string | undefined {
  let text = "";
  for (let i = 0; i < words.length; ) {
    const charset = (words[i] as Encoded).charset;
    const run: Uint8Array[] = [];
    for (; i < words.length && (words[i] as Encoded).charset === charset; i++) run.push((words[i] as Encoded).bytes);
    const part = decodeBytes(charset, Buffer.concat(run));
    if (part === undefined) return undefined;
    text += part;
  }
  return text;
}

function decodeBytes(charset: string, bytes: Uint8Array): string | undefined {
  // Not for names, and known for smuggling: every octet pair there can spell a sign.
  if (charset.startsWith("utf-16") || charset.startsWith("utf-7")) return undefined;
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
