/**
 * Contents that must be read: streams, files, URLs. Each is read once, within the bounds.
 *
 * @module
 */
import type { Readable } from "node:stream";
import type { RenderBounds } from "./bounds";
import { collect, isStream } from "./render";
import type { MailMessage, MimeNode } from "./shapes";

type Holder = Record<string | number, unknown>;

/**
 * Buffers the streams in a tree, so that a stream which stalls, fails or was read before answers
 * alike in every version of nodemailer, and none of them can keep the thread to itself.
 */
export async function bufferTree(tree: MimeNode, bounds: RenderBounds): Promise<void> {
  const read = new Map<unknown, Buffer>();
  for (const stream of streamsIn(tree)) if (!read.has(stream)) read.set(stream, await collect(stream, bounds));
  if (read.size > 0) substitute(tree, read);
}

/** Whether there is anything for {@link bufferTree} to do. */
export function hasStreams(tree: MimeNode): boolean {
  return streamsIn(tree).length > 0;
}

/**
 * For transports that read `mail.data`: replaces what must be read by what was read, in `data` and
 * in the tree of `mail` alike, so that what is rendered and judged is what the transport gets.
 */
export async function settleContents(
  data: Record<string, unknown>,
  mail: MailMessage,
  bounds: RenderBounds,
): Promise<void> {
  const read = new Map<unknown, Buffer>();
  const once = async (key: unknown, get: () => Promise<Buffer>): Promise<Buffer> => {
    const known = read.get(key) ?? (await get());
    read.set(key, known);
    return known;
  };
  for (const { holder, key, named } of placesOf(data)) {
    const value = holder[key];
    if (isStream(value)) holder[key] = await once(value, () => collect(value, bounds));
    else if (typeof value === "object" && value !== null && !Buffer.isBuffer(value)) {
      const source = await settleObject(value as Holder, holder, key, mail, bounds, once);
      if (named && source) (value as Holder).filename ??= source.split(/[/\\]/).pop()?.split("?").shift() || undefined;
    }
  }
  if (read.size > 0) substitute(mail.message, read);
}

/** A place of a message that holds content; attachments are named after their file. */
interface Place {
  readonly holder: Holder;
  readonly key: string | number;
  readonly named: boolean;
}

function placesOf(data: Record<string, unknown>): Place[] {
  const places: Place[] = [];
  for (const key of ["html", "text", "watchHtml", "amp", "icalEvent", "raw"]) {
    if (data[key]) places.push({ holder: data, key, named: false });
  }
  for (const key of ["alternatives", "attachments"]) {
    const list = data[key];
    const named = key === "attachments";
    if (!Array.isArray(list)) {
      if (list) places.push({ holder: data, key, named });
      continue;
    }
    for (const index of list.keys())
      if (list[index]) places.push({ holder: list as unknown as Holder, key: index, named });
  }
  return places;
}

/** Reads what an object points at. Resolves to the file or URL it was read from. */
async function settleObject(
  value: Holder,
  holder: Holder,
  key: string | number,
  mail: MailMessage,
  bounds: RenderBounds,
  once: (key: unknown, get: () => Promise<Buffer>) => Promise<Buffer>,
): Promise<string | undefined> {
  for (const part of ["content", "raw"]) {
    const stream = value[part];
    if (isStream(stream)) value[part] = await once(stream, () => collect(stream, bounds));
  }
  // A URL with headers of its own may answer differently each time: nobody else gets its answer.
  if (value.content || value.raw || value.httpHeaders) return undefined;
  const { path, href } = value;
  const isUrl = typeof href === "string" || (typeof path === "string" && /^https?:/i.test(path));
  const source = typeof href === "string" ? href : path;
  // A closed door stays closed: the tree refuses it with nodemailer's own error when it is rendered.
  if (typeof source !== "string" || mail.data[isUrl ? "disableUrlAccess" : "disableFileAccess"]) return undefined;
  value.content = await once(`${isUrl ? "href" : "path"}:${source}`, () => resolve(mail, holder, key));
  delete value.path;
  delete value.href;
  return source;
}

/** Reads a file or URL by nodemailer's own rules. */
function resolve(mail: MailMessage, holder: Holder, key: string | number): Promise<Buffer> {
  return new Promise((done, fail) => {
    if (!mail.resolveContent) return fail(new Error("nodemailer's message has no resolveContent"));
    mail.resolveContent(holder, key, (error, value) => {
      if (error) fail(error);
      else done(Buffer.isBuffer(value) ? value : Buffer.from(String(value ?? "")));
    });
  });
}

function streamsIn(tree: MimeNode): Readable[] {
  const found: Readable[] = [];
  for (const node of nodesOf(tree))
    for (const content of [node.content, node._raw]) if (isStream(content)) found.push(content);
  return found;
}

function nodesOf(tree: MimeNode): MimeNode[] {
  const found = [tree];
  for (const node of found) for (const child of node.childNodes ?? []) found.push(child);
  return found;
}

/** Puts what was read into the tree's nodes. */
function substitute(tree: MimeNode, read: ReadonlyMap<unknown, Buffer>): void {
  const known = (content: unknown): Buffer | undefined => {
    const source = content as { path?: unknown; href?: unknown } | null | undefined;
    if (read.has(content)) return read.get(content);
    if (typeof source?.href === "string") return read.get(`href:${source.href}`);
    return typeof source?.path === "string" ? read.get(`path:${source.path}`) : undefined;
  };
  for (const node of nodesOf(tree)) {
    const content = known(node.content);
    if (content) {
      // The encoding that nodemailer chooses for contents it cannot look into stays the choice.
      const encoding = isStream(node.content) ? node.getTransferEncoding?.() : undefined;
      node.content = content;
      if (encoding) node.setHeader?.("Content-Transfer-Encoding", encoding);
    }
    const raw = known(node._raw);
    if (raw) node._raw = raw;
  }
}
