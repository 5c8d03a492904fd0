/**
 * Rehearses a mass send: runs the job once, lets every guard look at every message, and keeps what
 * each call would have sent. Nothing leaves.
 *
 * @module
 */
import type { Duration } from "../config";
import type { Core } from "../core";
import { MailfuseError } from "../errors";
import type { SpoolEntry } from "../store";
import { type EntryRead, readEntriesSoFar } from "./entries-so-far";
import { KnownItems } from "./items";
import { type JobFacts, runJob } from "./job";
import { Recorder } from "./recorder";
import type { Checked } from "./request";
import type { Spool } from "./spool";
import { Summarizer } from "./summary/summarizer";
import type { Tempo } from "./tempo";
import type { Unfinished } from "./unfinished";

/** What a plan is asked for with. */
export interface PlanRequest extends Tempo {
  /** A declared purpose. */
  readonly purpose: string;
  /** How many distinct people this should reach, said before the audience is looked up. */
  readonly expectedPeople: number;
  /** Who asks: a declared approver or requester, who cannot confirm it. */
  readonly requestedBy: string;
  /** Not released before, milliseconds since the epoch or a `Date`. @default now */
  readonly notBefore?: number | Date;
  /** Not released after. @default 7 days from now */
  readonly notAfter?: number | Date;
  /** How many people there are to choose from: approvers see the share that is reached. More than that is refused. */
  readonly population?: number;
  /** Sends of the job under way at once, in the declarative form. @default 1 */
  readonly concurrency?: number;
  /**
   * The longest time in which the job may neither send, nor take an item, nor end. After that planning
   * is given up with `PLAN_JOB_FAILED`.
   * @default "15m"
   */
  readonly timeout?: Duration;
  /**
   * The id of a plan whose process died (`fuse.plans()` shows it as `rehearsing`): what it has rendered
   * is kept, and items are compared with it and left out. The declarative form only, with the same
   * request and the same items in the same order.
   */
  readonly resume?: string;
  /** Told now and then how many calls were rehearsed. */
  readonly onProgress?: (progress: { readonly entries: number; readonly people: number }) => void;
  /** Plans mail whose text lives at the provider and could not be read. @default false */
  readonly allowUnboundText?: boolean;
  /**
   * Releases the same texts to the same people although another plan did so a short while ago (within the
   * purpose's `duplicateWindow`, or 12 hours). Without it that is `PLAN_REPEATED`. @default false
   */
  readonly allowRepeat?: boolean;
}

/** A mass send without side effects to repeat: who, and what each gets. */
export interface PlanSource<Item> {
  readonly audience: Iterable<Item> | AsyncIterable<Item>;
  /** Sends one item's mail, as the application always does. Nothing leaves while it is rehearsed. */
  readonly send: (item: Item) => unknown;
  /** What the item's mail rests on; kept with its entry. */
  readonly data?: (item: Item) => unknown;
  /** By what the newest and the oldest items are told, which approvers are shown. */
  readonly orderBy?: (item: Item) => number | Date;
  /** What an item is known by when planning goes on after a crash. @default the item as JSON */
  readonly key?: (item: Item) => string | number;
}

/** A plain job. Runs once; whatever else it does (marking rows as sent) happens now. */
export type PlanJob = (job: { readonly rehearsal: true }) => unknown;

/** What came out of a rehearsal. */
export interface Rehearsed extends Awaited<ReturnType<Recorder["finish"]>>, JobFacts {
  readonly summarizer: Summarizer;
}

/** Runs the job and keeps its calls in the spool of a plan. */
export async function rehearse<Item>(
  core: Core,
  { purpose, timeoutMs, correction }: Pick<Checked, "purpose" | "timeoutMs" | "correction">,
  request: PlanRequest,
  plan: Unfinished,
  source: PlanSource<Item> | PlanJob,
): Promise<Rehearsed> {
  const { id, expectedPeople } = plan.terms;
  const summarizer = new Summarizer(id, purpose, core.secrets.pseudonym, expectedPeople);
  const recorder = new Recorder(core, id, purpose, {
    allowUnboundText: request.allowUnboundText ?? false,
    ...(request.onProgress ? { onProgress: request.onProgress } : {}),
    ...(correction ? { audience: correction.people, mailsUnsubscribed: correction.mailsUnsubscribed } : {}),
    summarizer,
    ...(plan.spool ? { spool: plan.spool } : {}),
    begin: (spool) => plan.begin(spool),
  });
  const known = plan.spool ? await readBack(core, id, plan.spool, recorder) : undefined;
  const facts = await runJob(core, purpose, recorder, source, {
    concurrency: request.concurrency ?? 1,
    timeoutMs,
    ...(request.resume === undefined && typeof source === "function" ? {} : { resumable: id }),
    ...(known ? { known } : {}),
  });
  return { ...(await recorder.finish()), ...facts, summarizer };
}

/** More entries than any one write to the spool has. */
const largestWrite = 2_000;

/** Takes what an earlier run has spooled; the items it was rendered for. */
async function readBack(core: Core, id: string, spool: Spool, recorder: Recorder): Promise<KnownItems> {
  const known = new KnownItems();
  let last: EntryRead | undefined;
  const tail: SpoolEntry[] = [];
  for await (const read of readEntriesSoFar(core, id, spool)) {
    recorder.readBack(read);
    const { item } = read.entry;
    if (item) known.set(read.index + item.distance, item.digest);
    last = read;
    tail.push({ index: read.index, sealed: read.sealed });
    if (tail.length >= 2 * largestWrite) tail.splice(0, largestWrite);
  }
  if (last?.entry.item?.more) throw cutOff();
  // A store may have died between an entry's bytes and its state; what is there already stays as it is.
  if (tail.length > 0) await core.store.spool(id, tail);
  return known;
}

function cutOff(): MailfuseError {
  return new MailfuseError({
    code: "PLAN_STATE",
    message: "Expected an unfinished plan that ends with a whole item, got one whose last item is in part.",
    fix: "Plan anew.",
  });
}
