/**
 * Takes the calls of a rehearsal: gathers what the guards said, asks about claims and
 * suppressions in batches, and puts every entry, good or refused, into the spool.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import type { Call } from "../adapter";
import { type ClaimItem, prove } from "../claim";
import type { Core, Held } from "../core";
import type { ErrorCode, Refusal } from "../errors";
import { claimItems } from "../guards/claims";
import type { Message } from "../message";
import type { Purpose } from "../purpose";
import type { Judged } from "../send";
import { snapshot } from "../snapshot";
import type { SpoolEntry } from "../store";
import { suppressedAmong, suppressedRefusal } from "../suppression";
import { MailSet, MerkleTree } from "./digests";
import type { EntryRead } from "./entries-so-far";
import type { ItemOf } from "./items";
import { notKept, notReached, otherPurpose, textNotBound, twice } from "./reasons";
import { type Entry, packEntry, Spool } from "./spool";
import type { Summarizer } from "./summary/summarizer";

/** What a recorder works with. */
export interface RecorderOptions {
  readonly allowUnboundText: boolean;
  /** A correction's people: mail to anybody else is refused. */
  readonly audience?: ReadonlySet<string>;
  /** People who have unsubscribed get it too, as a person has decided. */
  readonly mailsUnsubscribed?: boolean;
  readonly onProgress?: (progress: { readonly entries: number; readonly people: number }) => void;
  readonly summarizer: Summarizer;
  /** What an earlier run has written to. */
  readonly spool?: Spool;
  /** Called before the first entry is written, with the spool's key and dictionary. */
  readonly begin: (spool: Spool) => Promise<void>;
}

/** A call that is judged and copied, and has no place in the plan yet. */
export interface Taken {
  readonly entry: Entry;
  readonly item: ItemOf | undefined;
  readonly provider: string;
  readonly messages: readonly Message[];
  readonly data: unknown;
  readonly claims: readonly ClaimItem[];
  readonly refusals: readonly Refusal[];
}

/** How many refusals a plan keeps with their places. */
const keptRefusals = 1_000;
/** Written at once: so many entries, mails, or bytes, whichever comes first. */
const batch = { entries: 256, messages: 2_000, bytes: 8 * 1024 * 1024 } as const;

/** The recorder of one plan. */
export class Recorder {
  readonly #clients = new Set<string>();
  readonly #tree = new MerkleTree();
  readonly #mails = new MailSet();
  readonly #refusals: Refusal[] = [];
  readonly #counts: Partial<Record<ErrorCode, number>> = {};
  #failed = 0;
  #spool: Spool | undefined;
  #batch: Taken[] = [];
  #messages = 0;
  #bytes = 0;
  #writing: Promise<void> = Promise.resolve();
  #backlog = 0;
  #broken = false;

  constructor(
    readonly core: Core,
    readonly id: string,
    readonly purpose: Purpose,
    readonly options: RecorderOptions,
  ) {
    this.#spool = options.spool;
  }

  /** Judges and copies a call. */
  take(call: Call, send: Judged, held: Held, item: ItemOf | undefined): Taken {
    const refusals = [...send.refusals];
    // A job may name or match another purpose; its policy would not be the one that was asked about.
    for (const part of send.parts)
      if (part.purpose !== this.purpose) refusals.push(otherPurpose(this.purpose.name, part.purpose.name));
    for (const message of send.messages) {
      const { unbound } = message.content();
      if (unbound && !this.options.allowUnboundText) refusals.push(textNotBound(unbound));
    }
    const data = send.context.data === undefined ? undefined : snapshot(send.context.data);
    const entry: Entry = {
      client: held.key,
      people: send.parts.flatMap((part) => part.pseudonyms()),
      data: data === undefined ? undefined : JSON.stringify(data),
      evidence: [],
      bytes: call.spool(),
      ...(item?.order === undefined ? {} : { order: item.order }),
      warned: send.warnings.map(({ code }) => code),
    };
    const { audience } = this.options;
    if (audience && entry.people.some((person) => !audience.has(person))) refusals.push(notReached);
    const claims = this.purpose.claim
      ? send.parts.flatMap((part) => claimItems(send, part, this.core.settings.internal))
      : [];
    return { entry, item, provider: held.provider, messages: send.messages, data, claims, refusals };
  }

  /** Gives calls their places, those of one item beside each other. Resolves when there is room for more. */
  async put(taken: readonly Taken[]): Promise<void> {
    for (const one of taken) {
      this.#batch.push(one);
      this.#messages += one.messages.length;
      this.#bytes += one.entry.bytes.length;
    }
    const full = this.#batch.length >= batch.entries || this.#messages >= batch.messages || this.#bytes >= batch.bytes;
    if (full) this.#write();
    // One batch may fill while another is written; beyond that the job waits, so that memory stays bounded.
    // What could not be written ends the job: there is no plan without it.
    if (this.#backlog > 1 || this.#broken) await this.#writing;
  }

  /** Batches are written one after the other: the tree takes entries in their order. */
  #write(): void {
    const entries = this.#batch;
    this.#batch = [];
    this.#messages = 0;
    this.#bytes = 0;
    this.#backlog++;
    this.#writing = this.#writing
      .then(() => this.#keep(entries))
      .finally(() => {
        this.#backlog--;
      });
    this.#writing.catch(() => {
      this.#broken = true;
    });
  }

  async #keep(taken: readonly Taken[]): Promise<void> {
    const first = this.#tree.size;
    const refusals = taken.map((one) => [...one.refusals]);
    const evidence = await this.#prove(taken, refusals);
    await this.#askSuppressed(taken, refusals);
    const sealed: SpoolEntry[] = [];
    for (const [place, one] of taken.entries()) {
      const index = first + place;
      const reasons = refusals[place] as Refusal[];
      const entry = {
        ...one.entry,
        // What another plan has proven stays as it was.
        ...(one.claims.length === 0 ? {} : { evidence: evidence[place] as string[], claims: one.claims.length }),
        refusals: reasons,
        ...this.#itemOf(taken, place, index),
      };
      reasons.push(...this.#count(entry, index, one));
      const packed = packEntry(entry);
      if (!this.#spool) {
        this.#spool = new Spool(this.id, randomBytes(32), Spool.dictionaryOf(packed));
        await this.options.begin(this.#spool);
      }
      this.#tree.add(packed);
      sealed.push({ index, sealed: this.#spool.seal(index, packed) });
    }
    await this.core.store.spool(this.id, sealed).catch(notKept);
    this.options.onProgress?.({ entries: this.#tree.size, people: this.options.summarizer.people.size });
  }

  #itemOf(taken: readonly Taken[], place: number, index: number): Pick<Entry, "item"> {
    const item = taken[place]?.item;
    if (!item) return {};
    const more = taken[place + 1]?.item?.position === item.position;
    return { item: { distance: item.position - index, digest: item.digest, ...(more ? { more } : {}) } };
  }

  /** Lets the summary, the counts and the list of reasons know of an entry. The result are further reasons. */
  #count(
    entry: Entry,
    index: number,
    { provider, messages, data }: Pick<Taken, "provider" | "messages" | "data">,
  ): Refusal[] {
    const { summarizer } = this.options;
    const { client, people, order, warned = [], evidence, claims = 0, refusals = [] } = entry;
    this.#clients.add(client);
    const texts = messages.map((message) => message.digest());
    this.#mails.add(people, texts);
    const refused = refusals.map(({ code }) => code);
    const again = summarizer.add({ index, provider, messages, people, data, order, warned, refused });
    const known = refusals.some(({ code }) => code === twice.code);
    const further = known ? [] : Array.from({ length: again }, () => twice);
    summarizer.claims.add(claims, evidence);
    for (const refusal of [...refusals, ...further]) this.#refuse(refusal, index);
    if (refusals.length + further.length > 0) {
      this.#failed++;
      summarizer.refused(index);
    }
    return further;
  }

  /** Takes an entry that an earlier run of this plan has written. */
  readBack({ index, packed, entry, provider, messages, data }: EntryRead): void {
    this.#tree.add(packed);
    this.#count(entry, index, { provider, messages, data });
  }

  #refuse(refusal: Refusal, index: number): void {
    this.#counts[refusal.code] = (this.#counts[refusal.code] ?? 0) + 1;
    if (this.#refusals.length >= keptRefusals) return;
    this.#refusals.push({ ...refusal, where: `entry ${index}${refusal.where ? `, ${refusal.where}` : ""}` });
  }

  async #prove(taken: readonly Taken[], refusals: readonly Refusal[][]): Promise<readonly string[][]> {
    const evidence: string[][] = taken.map(() => []);
    const { claim, name } = this.purpose;
    if (!claim) return evidence;
    const asked = taken.flatMap(({ claims }, place) => claims.map((item) => ({ place, item })));
    const items = asked.map(({ item }) => item);
    const proofs = await prove(name, claim, items, this.core.clock);
    for (const [position, proof] of proofs.entries()) {
      const place = asked[position]?.place ?? 0;
      if ("code" in proof) refusals[place]?.push(proof);
      else evidence[place]?.push(proof.evidence);
    }
    return evidence;
  }

  async #askSuppressed(taken: readonly Taken[], refusals: readonly Refusal[][]): Promise<void> {
    const { isSuppressed } = this.core.settings;
    if (!isSuppressed || this.purpose.kind !== "bulk" || this.options.mailsUnsubscribed) return;
    const addresses = taken.map(({ messages }) =>
      messages.flatMap(({ recipients }) => recipients.map(({ address }) => address)),
    );
    const suppressed = await suppressedAmong(isSuppressed, addresses.flat());
    for (const [place, its] of addresses.entries())
      if (its.some((address) => suppressed.has(address.toLowerCase()))) refusals[place]?.push(suppressedRefusal);
  }

  /** Writes what is left. Rejects when any write has failed, also where the job has not looked. */
  async finish() {
    if (this.#batch.length > 0) this.#write();
    await this.#writing;
    return {
      clients: [...this.#clients].sort(),
      entries: this.#tree.size,
      root: this.#tree.root(),
      mails: this.#mails.digest(),
      failed: this.#failed,
      /** The first 1,000 reasons; all are counted. */
      refusals: this.#refusals as readonly Refusal[],
      refusalCounts: this.#counts as Readonly<Partial<Record<ErrorCode, number>>>,
      spool: this.#spool,
    };
  }
}
