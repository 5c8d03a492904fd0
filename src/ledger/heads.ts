/**
 * Tells heads to a witness outside the store: whoever rewrites the store later, or cuts off its end,
 * cannot rewrite what was told.
 *
 * @module
 */
import { appendFile } from "node:fs/promises";
import process from "node:process";
import { type Core, codeOf } from "../core";
import type { Head } from "./verdict";

/** Tells one head. A witness that fails stops nobody: the head stands in the ledger. */
export async function tellHead(core: Core, head: Head): Promise<void> {
  const { heads } = core.settings.ledger;
  if (heads === undefined) return;
  try {
    if (typeof heads === "function") await heads(head);
    else {
      const line = `${JSON.stringify({ mailfuse: "head", ...head })}\n`;
      if (heads === "stdout") process.stdout.write(line);
      else await appendFile(heads.file, line);
    }
  } catch (error) {
    core.log.error({ error: codeOf(error), head: head.seq }, "a head of the ledger could not be told to its witness");
  }
}
