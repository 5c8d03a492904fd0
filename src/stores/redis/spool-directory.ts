/**
 * Sealed bytes of plans in a directory. Each call writes one segment: a file that is there whole or not at
 * all, named by the indexes it holds. A plan's folder is named by a hash, so that no plan's id is a path.
 *
 * A segment: `MFSPOOL1`, how many entries (u32), per entry index, offset and length (u32 each, by index), then
 * the bytes. Numbers are big-endian.
 *
 * @module
 */
import { hash, randomBytes } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { MailfuseError, type SpoolEntry } from "../../store";
import type { SealedBytes } from "./spool";

const magic = Buffer.from("MFSPOOL1");
const headLength = magic.length + 4;
const rowLength = 12;
const segmentName = /^(\d{10})-(\d{10})-[\w-]+\.seg$/;

/** A segment's most bytes: offsets have 32 bits, and a segment is written from memory. */
const segmentBytes = 64 << 20;

interface Segment {
  readonly file: string;
  readonly first: number;
  readonly last: number;
}

/** Keeps sealed bytes under `directory`. `scope` keeps stores apart that share it. */
export function spoolDirectory(directory: string, scope: string): SealedBytes {
  const folder = (plan: string) => join(directory, hash("sha256", `${scope}\0${plan}`).slice(0, 40));

  async function segments(plan: string): Promise<Segment[]> {
    const names = await readdir(folder(plan)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    return names
      .flatMap((name) => {
        const [, first, last] = segmentName.exec(name) ?? [];
        return first === undefined
          ? []
          : [{ file: join(folder(plan), name), first: Number(first), last: Number(last) }];
      })
      .sort((a, b) => a.first - b.first || (a.file < b.file ? -1 : 1));
  }

  return {
    put: (plan, entries) =>
      guarded(async () => {
        await mkdir(folder(plan), { recursive: true, mode: 0o700 });
        for (const part of parts(entries)) await writeSegment(folder(plan), part);
        await sync(folder(plan));
        await sync(directory);
      }),
    get: (plan, indexes) =>
      guarded(async () => {
        const wanted = new Set(indexes);
        const found = new Map<number, SpoolEntry>();
        for (const segment of await segments(plan)) {
          if (!indexes.some((index) => index >= segment.first && index <= segment.last)) continue;
          for (const entry of await readSegment(segment, (index) => wanted.has(index) && !found.has(index), Infinity)) {
            found.set(entry.index, entry);
          }
        }
        return byIndex(found);
      }),
    from: (plan, from, limit) =>
      guarded(async () => {
        const found = new Map<number, SpoolEntry>();
        for (const segment of await segments(plan)) {
          if (segment.last < from) continue;
          // Segments are in order of their first index: behind a full page only an overlapping one can matter.
          const page = byIndex(found)[limit - 1];
          if (page && segment.first > page.index) break;
          for (const entry of await readSegment(segment, (index) => index >= from && !found.has(index), limit)) {
            found.set(entry.index, entry);
          }
        }
        return byIndex(found).slice(0, Math.max(0, limit));
      }),
    drop: (plan) => guarded(() => rm(folder(plan), { recursive: true, force: true })),
  };
}

function byIndex(found: ReadonlyMap<number, SpoolEntry>): SpoolEntry[] {
  return [...found.values()].sort((a, b) => a.index - b.index);
}

function* parts(entries: readonly SpoolEntry[]): Generator<SpoolEntry[]> {
  let part: SpoolEntry[] = [];
  let bytes = 0;
  for (const entry of [...entries].sort((a, b) => a.index - b.index)) {
    if (part.length > 0 && bytes + entry.sealed.length > segmentBytes) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(entry);
    bytes += entry.sealed.length;
  }
  if (part.length > 0) yield part;
}

/** Under another name first: a crash leaves no half of a segment under a name that is read. */
async function writeSegment(folder: string, entries: readonly SpoolEntry[]): Promise<void> {
  const head = Buffer.alloc(headLength + entries.length * rowLength);
  magic.copy(head);
  head.writeUInt32BE(entries.length, magic.length);
  let offset = head.length;
  entries.forEach(({ index, sealed }, at) => {
    head.writeUInt32BE(index, headLength + at * rowLength);
    head.writeUInt32BE(offset, headLength + at * rowLength + 4);
    head.writeUInt32BE(sealed.length, headLength + at * rowLength + 8);
    offset += sealed.length;
  });
  const unique = randomBytes(9).toString("base64url");
  const range = [entries[0], entries.at(-1)].map((entry) => String(entry?.index ?? 0).padStart(10, "0")).join("-");
  const temporary = join(folder, `${unique}.tmp`);
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writev([head, ...entries.map((entry) => entry.sealed)]);
    await file.sync();
    await file.close();
    await rename(temporary, join(folder, `${range}-${unique}.seg`));
  } catch (error) {
    await file.close().catch(() => {});
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
}

/** A new name is durable once its directory is. */
async function sync(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readSegment(segment: Segment, wanted: (index: number) => boolean, limit: number): Promise<SpoolEntry[]> {
  const file = await open(segment.file, "r").catch((error: NodeJS.ErrnoException) => {
    // Dropped since it was listed.
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (!file) return [];
  try {
    const head = await exactly(file, 0, headLength);
    if (!head.subarray(0, magic.length).equals(magic)) throw damaged();
    const rows = await exactly(file, headLength, head.readUInt32BE(magic.length) * rowLength);
    const found: SpoolEntry[] = [];
    for (let at = 0; at < rows.length && found.length < limit; at += rowLength) {
      const index = rows.readUInt32BE(at);
      if (wanted(index))
        found.push({ index, sealed: await exactly(file, rows.readUInt32BE(at + 4), rows.readUInt32BE(at + 8)) });
    }
    return found;
  } finally {
    await file.close();
  }
}

async function exactly(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) throw damaged();
    filled += bytesRead;
  }
  return buffer;
}

async function guarded<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    if (MailfuseError.isInstance(cause)) throw cause;
    const code = (cause as NodeJS.ErrnoException).code ?? "an error";
    throw new MailfuseError(
      {
        code: "STORE_UNAVAILABLE",
        message: `Expected the spool directory to take and give files, got ${code}.`,
        fix: "Nothing was sent. Check that the directory exists, has room, and may be written by this process.",
      },
      { cause },
    );
  }
}

function damaged(): MailfuseError {
  return new MailfuseError({
    code: "STORE_UNAVAILABLE",
    message: "Expected a whole spool segment, got a damaged one.",
    fix: "Nothing was sent. Make the plan again; check the disk under the spool directory.",
  });
}
