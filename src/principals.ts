/**
 * Whether two names are one person's. Names are compared as people read them, so that nobody becomes
 * two people by another spelling.
 *
 * @module
 */

/** A name without what does not tell people apart: case, width, marks, spaces, dots, dashes. */
export function foldName(name: string): string {
  return name
    .normalize("NFKD")
    .replace(/[\p{M}\p{Z}\p{C}._-]/gu, "")
    .toLowerCase();
}

/** Whether two names are one person's: under no spelling does the requester confirm. */
export function sameName(a: string, b: string): boolean {
  return foldName(a) === foldName(b);
}
