/**
 * The mails of a plan, read back from its spool for people to look at: a page of entries at a time.
 * Holds addresses and whole mails, all of it the sender's and hostile.
 *
 * @module
 */
import type { Core } from "../core";
import type { ErrorCode } from "../errors";
import type { Recipient } from "../message";
import { openSpool } from "./entries";
import { findPlan, readRecord } from "./keep";
import { unpackEntry } from "./spool";

/** Which entries are read. */
export interface MailsRequest {
  /** The first entry's place, from 0. @default 0 */
  readonly from?: number;
  /** How many at most, 200 in one go. @default 50 */
  readonly limit?: number;
}

/** One mail as its recipients will get it. */
export interface PlannedMail {
  readonly from?: string;
  readonly recipients: readonly Recipient[];
  readonly subject?: string;
  readonly text?: string;
  readonly html?: string;
  /** Set when part of the text lives at the provider, and says which part. */
  readonly unbound?: string;
}

/** One provider call of a plan. */
export interface PlannedEntry {
  readonly index: number;
  /** The attached client that delivers it. */
  readonly client: string;
  /** Distinct people. */
  readonly people: number;
  /** Why it may not be released, and what guards warned of. */
  readonly refusals: readonly ErrorCode[];
  readonly warnings: readonly ErrorCode[];
  /** Its mails; `undefined` where the client is not attached here, so that nobody can read the bytes. */
  readonly mails?: readonly PlannedMail[];
}

/** Reads a page. Throws `PLAN_NOT_FOUND`, `PLAN_TAMPERED`, and `PLAN_STATE` once the plan's key is gone. */
export async function readMails(core: Core, id: string, request: MailsRequest): Promise<readonly PlannedEntry[]> {
  const record = readRecord(core, await findPlan(core, id));
  const spool = openSpool(core, record);
  const limit = Math.min(200, Math.max(1, Math.floor(request.limit ?? 50)));
  const sealed = await core.store.entries(id, Math.max(0, Math.floor(request.from ?? 0)), limit);
  return sealed.map(({ index, sealed: bytes }) => {
    const entry = unpackEntry(spool.open(index, bytes));
    const intent = core.held.get(entry.client)?.attachment.revive(entry.bytes).intent;
    const messages = intent && "messages" in intent ? intent.messages : undefined;
    return {
      index,
      client: entry.client,
      people: entry.people.length,
      refusals: (entry.refusals ?? []).map(({ code }) => code),
      warnings: entry.warned ?? [],
      ...(messages
        ? {
            mails: messages.map((message) => {
              const { subject, text, html, unbound } = message.content();
              return {
                recipients: message.recipients,
                ...(message.from === undefined ? {} : { from: message.from }),
                ...(subject === undefined ? {} : { subject }),
                ...(text === undefined ? {} : { text }),
                ...(html === undefined ? {} : { html }),
                ...(unbound === undefined ? {} : { unbound }),
              };
            }),
          }
        : {}),
    };
  });
}
