/**
 * Writes the ledger out, line by line and in bounded memory: as it is, or as counts.
 *
 * @module
 */
import { type FileHandle, open, stat, truncate } from "node:fs/promises";
import { type Core, codeOf } from "../core";
import { MailfuseError } from "../errors";
import type { LedgerLine } from "../store";
import { readSigned, type Signer } from "./chain";
import { Counts } from "./counts";
import { exportedLine, lastTextLines, readExportedLine } from "./file";
import type { Exported, ExportOptions } from "./ledger";
import { readLines } from "./lines";
import type { Head } from "./verdict";

/** Where lines go. */
interface Target {
  write(text: string): Promise<void>;
  /** Lines stand there for good. */
  end(): Promise<void>;
  close(): Promise<void>;
}

/** Exports what is not in the target yet. */
export async function exportLines(core: Core, signer: Signer, options: ExportOptions): Promise<Exported> {
  const file = typeof options.to === "string" ? options.to : undefined;
  const counts = options.format === "csv" ? new Counts() : undefined;
  const known = file !== undefined && !counts ? await endOf(file, signer) : undefined;
  let last = Math.max(options.after ?? 0, known?.last ?? 0);
  let head = known?.head;
  let lines = 0;
  const target = await openTarget(options.to, known);
  try {
    for await (const batch of readLines(core.store, last)) {
      let text = "";
      for (const line of batch) {
        if (counts) counts.add(line);
        else text += exportedLine(line);
        const found = headOf(line, signer);
        if (found && found.upto >= (head?.upto ?? 0)) head = found;
      }
      if (text !== "") await target.write(text);
      lines += batch.length;
      last = batch.at(-1)?.seq ?? last;
      options.onProgress?.(lines);
    }
    if (counts) for (const text of counts.rows()) await target.write(text);
    await target.end();
  } finally {
    await target.close().catch(() => {});
  }
  return { lines, last, ...(head ? { head } : {}) };
}

async function openTarget(to: ExportOptions["to"], known: End | undefined): Promise<Target> {
  if (typeof to === "function")
    return {
      async write(text) {
        await Promise.resolve(to(text)).catch(failed);
      },
      async end() {},
      async close() {},
    };
  // A line that was cut off by a full disk or a crash stands in the store still: it is written anew.
  if (known?.cut) await truncate(to, known.length).catch(failed);
  const handle: FileHandle = await open(to, known ? "a" : "w").catch(failed);
  return {
    write: (text) => handle.appendFile(text).catch(failed),
    end: () => handle.sync().catch(failed),
    close: () => handle.close(),
  };
}

/** How far back a head is looked for in an export. */
const headWithin = 10_000;

/** Where an export that is there already ends: its last line, its length with that, and its newest head. */
interface End {
  readonly last: number;
  readonly length: number;
  /** Whether something that is no whole line follows. */
  readonly cut: boolean;
  readonly head?: Head;
}

async function endOf(path: string, signer: Signer): Promise<End | undefined> {
  const size = await stat(path).then(
    (stats) => stats.size,
    () => undefined,
  );
  if (size === undefined) return undefined;
  let end = { last: 0, length: 0, cut: size > 0 };
  let looked = 0;
  for await (const { text, end: length } of lastTextLines(path)) {
    const line = readExportedLine(text);
    if (!line) throw notOurs();
    if (looked === 0) end = { last: line.seq, length, cut: length < size };
    const head = headOf(line, signer);
    if (head) return { ...end, head };
    if (++looked >= headWithin) return end;
  }
  if (looked === 0 && size > 0 && !(await beginsAsOurs(path))) throw notOurs();
  return end;
}

async function beginsAsOurs(path: string): Promise<boolean> {
  const handle = await open(path, "r");
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(7), 0, 7, 0);
    return '{"seq":'.startsWith(buffer.toString("latin1", 0, bytesRead));
  } finally {
    await handle.close();
  }
}

function headOf({ seq, at, event }: LedgerLine, signer: Signer): Head | undefined {
  if (!event.startsWith('{"v":1,"type":"sealed"')) return undefined;
  const signed = readSigned(event, signer.trusted);
  return signed?.type === "sealed" ? { seq, at, upto: signed.upto, hash: signed.hash, kid: signed.kid } : undefined;
}

function notOurs(): MailfuseError {
  return new MailfuseError({
    code: "EXPORT_FAILED",
    message: "Expected a new file or a former export to go on with, got a file whose lines are something else.",
    fix: "Name another file; nothing was written.",
  });
}

function failed(error: unknown): never {
  throw new MailfuseError(
    {
      code: "EXPORT_FAILED",
      message: `Expected the target of the export to take it, got ${codeOf(error)}.`,
      fix: "Make room or mend the target and export again: it goes on where it stopped, and the store has lost nothing.",
    },
    { cause: error },
  );
}
