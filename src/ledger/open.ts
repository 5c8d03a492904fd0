/**
 * Puts the parts of `fuse.ledger` together.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { access } from "node:fs/promises";
import { hostname } from "node:os";
import { parseAddress } from "../address";
import { parseDuration } from "../clock";
import type { Core } from "../core";
import { MailfuseError } from "../errors";
import { findAddresses } from "./addresses";
import { actionEvent } from "./events";
import { exportLines } from "./export";
import { lastTextLines } from "./file";
import type { Exported, ExportOptions, Forget, Ledger, LedgerEntry, TailOptions } from "./ledger";
import { lastNumber, readLines } from "./lines";
import { trimLines } from "./trim";
import type { Head } from "./verdict";
import { Verifier } from "./verify";
import { verifyFile } from "./verify-file";

/** Lines shown when nothing is said. */
const tailLines = 20;
/** How often new lines are looked for. */
const followMs = 1_000;
const exportLeaseMs = 10 * 60_000;
const weakKey =
  "The key that signs is derived from a secret that the store itself keeps: against whoever holds the store, seals prove nothing.";

/** The ledger of a fuse. */
export function openLedger(core: Core): Ledger {
  const ready = async () => {
    await core.ready();
    return core.upkeep.signer;
  };
  return {
    async publicKeys() {
      const signer = await ready();
      return { [signer.kid]: signer.publicKey };
    },

    async verify(options = {}) {
      const { trusted } = await ready();
      if (options.file !== undefined) return verifyFile(options.file, { ...options, trusted });
      const expectedHead = options.expectedHead ?? (await newestHead(core));
      const verifier = new Verifier({
        trusted,
        forgets: core.facts?.durability === "none",
        ...(expectedHead ? { expectedHead } : {}),
      });
      for await (const batch of readLines(core.store, 0)) {
        for (const line of batch) verifier.add(line);
        options.onProgress?.(verifier.lines);
      }
      const verdict = verifier.finish();
      const isWeak = !core.ownSecret && core.settings.ledger.signingKey === undefined;
      return isWeak ? { ...verdict, notes: [...verdict.notes, weakKey] } : verdict;
    },

    async seal() {
      await ready();
      return core.upkeep.seal();
    },

    async *tail(options: TailOptions = {}) {
      await ready();
      let last = options.after ?? (await startOfTail(core));
      for (;;) {
        for await (const batch of readLines(core.store, last)) {
          for (const { seq, at, event } of batch) {
            last = seq;
            yield { seq, at, event: entryOf(event) };
          }
        }
        if (!options.follow || options.signal?.aborted) return;
        await pause(core, options.signal);
        if (options.signal?.aborted) return;
      }
    },

    async export(options) {
      const signer = await ready();
      const before = trimBefore(options);
      return alone(core, options, async () => {
        // What is exported is sealed first: an export without a head at its end proves nothing about its end.
        await core.upkeep.seal();
        const exported = await exportLines(core, signer, options);
        if (before === undefined) return exported;
        const trimmed = await trimLines(core, signer, exported.last, (await core.store.now()) - before);
        return { ...exported, ...(trimmed === undefined ? {} : { trimmed }) };
      });
    },

    async retain() {
      await ready();
      return core.upkeep.retain();
    },

    async forget(who) {
      await ready();
      return forget(core, who);
    },
  };
}

/** The newest head known here: of this process, or of the file that heads are told to. */
async function newestHead(core: Core): Promise<Head | undefined> {
  const { heads } = core.settings.ledger;
  const told = typeof heads === "object" ? await lastTold(heads.file) : undefined;
  if (told && told.upto > (core.upkeep.head?.upto ?? 0)) return told;
  return core.upkeep.head;
}

async function lastTold(file: string): Promise<Head | undefined> {
  const there = await access(file).then(
    () => true,
    () => false,
  );
  if (!there) return undefined;
  for await (const { text } of lastTextLines(file)) {
    try {
      const { seq, upto, hash, kid, at } = JSON.parse(text) as Head;
      return { seq, upto, hash, kid, at };
    } catch {
      // A line cut by a crash; the one before it was whole.
    }
  }
  return undefined;
}

async function startOfTail(core: Core): Promise<number> {
  return Math.max(0, (await lastNumber(core.store)) - tailLines);
}

function entryOf(event: string): LedgerEntry["event"] {
  try {
    const read = JSON.parse(event) as LedgerEntry["event"];
    if (typeof read === "object" && read !== null && typeof read.type === "string") return read;
  } catch {
    // Below.
  }
  return { type: "(unreadable)" };
}

function pause(core: Core, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const cancel = core.clock.after(followMs, resolve);
    signal?.addEventListener(
      "abort",
      () => {
        cancel();
        resolve();
      },
      { once: true },
    );
  });
}

function trimBefore({ trimOlderThan, to, format }: ExportOptions): number | undefined {
  if (trimOlderThan === undefined) return undefined;
  const ms = parseDuration(trimOlderThan);
  if (ms !== undefined && typeof to === "string" && format !== "csv") return ms;
  throw new MailfuseError({
    code: "CONFIG_INVALID",
    message:
      'Expected `trimOlderThan` to be a duration such as "400d", with a file of JSON Lines to export to, got something else.',
    fix: "Lines leave the store only once they stand in a file.",
    where: "trimOlderThan",
  });
}

/** Two exports into one file would write lines twice. */
async function alone(core: Core, { to }: ExportOptions, work: () => Promise<Exported>): Promise<Exported> {
  if (typeof to !== "string") return work();
  const name = `export:${hostname()}:${to}`;
  const holder = randomUUID();
  if (!(await core.store.lease(name, holder, exportLeaseMs))) {
    throw new MailfuseError({
      code: "EXPORT_FAILED",
      message: "Expected no other export into this file, got one under way, or one that died within ten minutes.",
      fix: "Wait for it, or name another file.",
    });
  }
  try {
    return await work();
  } finally {
    await core.store.lease(name, holder, 0);
  }
}

async function forget(core: Core, who: Forget): Promise<{ readonly addresses: number }> {
  const { secrets, store } = core;
  let people: readonly string[];
  let address = "address" in who ? who.address : undefined;
  if ("person" in who) {
    // Under a former secret the same person has another name, which only the address tells.
    const [found] = await findAddresses(core, [who.person], 0, Number.MAX_SAFE_INTEGER);
    address = found ?? undefined;
    people = [who.person];
  } else people = [];
  if (address !== undefined) {
    const parsed = parseAddress(address, "address");
    if ("code" in parsed) throw new MailfuseError(parsed);
    people = [...new Set([...people, ...secrets.pseudonyms(parsed.person)])];
  }
  const addresses = await store.forgetAddresses({ people });
  core.addressBook.forgetWritten();
  await store.append([
    actionEvent("forgotten", { people, addresses, ...(who.by === undefined ? {} : { by: who.by }) }),
  ]);
  return { addresses };
}
