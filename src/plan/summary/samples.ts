/**
 * Reads the mails that were picked back from the spool and cuts them to what is shown.
 *
 * @module
 */
import { placesOf } from "../../content/read";
import type { Core } from "../../core";
import type { Message } from "../../message";
import { type Entry, type Spool, unpackEntry } from "../spool";
import { emptyFields } from "./gaps";
import type { Pick } from "./picks";
import { readingText } from "./summarizer";
import type { SummarySample } from "./types";

const shown = { recipients: 5, subject: 200, text: 1_500, name: 100, address: 320 } as const;

/** The messages of an entry as its client's adapter reads them; none where it cannot. */
export function messagesOf(core: Core, entry: Readonly<{ client: string; bytes: Uint8Array }>): readonly Message[] {
  try {
    const intent = core.held.get(entry.client)?.attachment.revive(entry.bytes).intent;
    return intent && "messages" in intent ? intent.messages : [];
  } catch {
    // What could not be copied has no bytes, and is refused.
    return [];
  }
}

/** The samples of a plan whose entries are all spooled. */
export async function readSamples(core: Core, spool: Spool, picks: readonly Pick[]): Promise<readonly SummarySample[]> {
  const samples: SummarySample[] = [];
  for (const pick of picks) {
    const [found] = await core.store.entries(spool.plan, pick.entry, 1);
    if (found?.index !== pick.entry) continue;
    const entry = unpackEntry(spool.open(pick.entry, found.sealed));
    samples.push(sampleOf(pick, entry, messagesOf(core, entry)[pick.message]));
  }
  return samples;
}

function sampleOf(pick: Pick, entry: Entry, message: Message | undefined): SummarySample {
  const places = message && placesOf(message);
  const text = places ? readingText(places) : undefined;
  const recipients = message?.recipients ?? [];
  const codes = [...(entry.refusals ?? []).map(({ code }) => code), ...(entry.warned ?? [])];
  return {
    why: pick.why,
    entry: pick.entry,
    message: pick.message,
    ...(message?.from === undefined ? {} : { from: message.from.slice(0, shown.address) }),
    to: recipients.slice(0, shown.recipients).map(({ field, address, name }) => ({
      field,
      address: address.slice(0, shown.address),
      ...(name === undefined ? {} : { name: name.slice(0, shown.name) }),
    })),
    recipients: recipients.length,
    ...(places?.subject === undefined ? {} : { subject: places.subject.slice(0, shown.subject) }),
    ...(text === undefined ? {} : { text: text.trim().slice(0, shown.text) }),
    length: text?.length ?? 0,
    emptyFields: entry.data === undefined ? [] : emptyFields(JSON.parse(entry.data)),
    codes: [...new Set(codes)],
  };
}
