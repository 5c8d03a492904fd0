/**
 * Exported ledgers: one line of JSON each, `{"seq":…,"at":…,"event":…}`, the event being the very
 * text that was written and sealed.
 *
 * @module
 */
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import type { LedgerLine } from "../store";

/** A line as it stands in an export. */
export function exportedLine({ seq, at, event }: LedgerLine): string {
  // What is no JSON of one line was not written by a fuse; it is kept as a text, so that the file stays readable.
  const text = event.startsWith("{") && !event.includes("\n") && isJson(event) ? event : JSON.stringify(event);
  return `{"seq":${seq},"at":${at},"event":${text}}\n`;
}

const form = /^\{"seq":(\d{1,16}),"at":(\d{1,16}),"event":(.+)\}$/s;

/** Reads what {@link exportedLine} wrote; `undefined` when it is cut or something else. */
export function readExportedLine(text: string): LedgerLine | undefined {
  const [, seq, at, event] = form.exec(text) ?? [];
  if (event === undefined || !isJson(event)) return undefined;
  return {
    seq: Number(seq),
    at: Number(at),
    event: event.startsWith('"') ? (JSON.parse(event) as string) : event,
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Lines of a file, in order, one in memory at a time; `whole` is false for a last one without its end. */
export async function* readTextLines(path: string): AsyncGenerator<{ readonly text: string; readonly whole: boolean }> {
  let rest: Buffer[] = [];
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 }) as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      const piece = chunk.subarray(start, end);
      yield { text: (rest.length > 0 ? Buffer.concat([...rest, piece]) : piece).toString("utf8"), whole: true };
      rest = [];
      start = end + 1;
    }
    if (start < chunk.length) rest.push(Buffer.from(chunk.subarray(start)));
  }
  if (rest.length > 0) yield { text: Buffer.concat(rest).toString("utf8"), whole: false };
}

/** How much is read at once, from the end backwards. */
const tailChunk = 1 << 16;

/** The last whole lines of a file, newest first, and how long the file is with them. */
export async function* lastTextLines(path: string): AsyncGenerator<{ readonly text: string; readonly end: number }> {
  const file = await open(path, "r");
  try {
    let { size: position } = await file.stat();
    let held = Buffer.alloc(0);
    let end = -1;
    while (position > 0) {
      const length = Math.min(tailChunk, position);
      position -= length;
      const chunk = Buffer.alloc(length);
      await file.read(chunk, 0, length, position);
      held = Buffer.concat([chunk, held]);
      for (let at = held.lastIndexOf(10); at >= 0; at = held.lastIndexOf(10)) {
        const text = held.subarray(at + 1).toString("utf8");
        const stop = position + at + 1;
        held = held.subarray(0, at);
        // What follows the last line feed is cut off, or nothing.
        if (end >= 0) yield { text, end };
        end = stop;
      }
    }
    if (end >= 0 && held.length > 0) yield { text: held.toString("utf8"), end };
  } finally {
    await file.close();
  }
}
