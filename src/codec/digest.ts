/**
 * Digests of mails that are handed to an API: the same as for rendered ones, so that one mail has
 * one digest through every provider.
 *
 * @module
 */
import { hash } from "node:crypto";
import type { Content } from "../message";

/** A file that goes with a mail. */
export interface AttachedFile {
  /** Media type in lower case. */
  readonly type: string;
  readonly name?: string | undefined;
  bytes(): Uint8Array | string;
}

/** What the digest of a mail with files is taken of; the files' hashes are computed once. */
export function digestInput(files: readonly AttachedFile[]): (content: Content) => string {
  let hashes: readonly unknown[] | undefined;
  return (content) => {
    hashes ??= files.map((file) => [file.type, file.name ?? null, hash("sha256", file.bytes(), "base64url")]);
    const { subject, text, html, template } = content;
    return JSON.stringify([subject ?? null, text ?? null, html ?? null, template ?? null, hashes]);
  };
}
