/**
 * Drops lines from the store that stand in an export. What is dropped was looked at before, and a
 * signed mark says up to where: a beginning that is missing without one was taken away.
 *
 * @module
 */
import type { Core } from "../core";
import { MailfuseError } from "../errors";
import { type Signer, signedEvent } from "./chain";
import { readLines } from "./lines";
import { Verifier } from "./verify";

/** Drops what is older than `before` and not above `exported`, up to a head. Resolves to the last line dropped. */
export async function trimLines(
  core: Core,
  signer: Signer,
  exported: number,
  before: number,
): Promise<number | undefined> {
  const { store } = core;
  const verifier = new Verifier({ trusted: signer.trusted, forgets: core.facts?.durability === "none" });
  for await (const batch of readLines(store, 0, exported)) {
    // Heads stand after the lines they speak for: the newest one that is old enough speaks for old lines only.
    const old = batch.filter(({ at }) => at < before);
    for (const line of old) verifier.add(line);
    if (old.length < batch.length) break;
  }
  const { ok, sealed, problems } = verifier.finish();
  if (!ok) {
    throw new MailfuseError({
      code: "LEDGER_TAMPERED",
      message: `Expected a ledger as it was written before lines of it are dropped, got ${problems[0]?.message ?? "another one"}`,
      fix: "Nothing was dropped. Keep store and export as they are, and find out what happened.",
    });
  }
  if (!sealed) return undefined;
  const mark = signedEvent("trimmed", { upto: sealed.upto, hash: sealed.hash }, signer);
  await store.append([mark]);
  await store.trim(sealed.upto);
  return sealed.upto;
}
