/**
 * Runs a plan's job once and hands what it sends to the recorder. Nothing leaves.
 *
 * @module
 */
import type { Call } from "../adapter";
import { type Core, codeOf, type Held, type Rehearsal } from "../core";
import { MailfuseError } from "../errors";
import type { Purpose } from "../purpose";
import type { Judged } from "../send";
import { type ItemOf, itemDigest, type KnownItems } from "./items";
import type { Recorder, Taken } from "./recorder";
import type { PlanJob, PlanSource } from "./rehearse";

/** What a job is run with. */
export interface JobOptions {
  readonly concurrency: number;
  /** The longest time without a mail, milliseconds. */
  readonly timeoutMs: number;
  /** Items that an earlier run of the plan has rendered. */
  readonly known?: KnownItems;
  /** The plan's id, where it can go on from what it has rendered. */
  readonly resumable?: string;
}

/** What a job did beside sending. */
export interface JobFacts {
  /** Items of the audience, and those for which nothing was sent; 0 for a plain job. */
  readonly items: number;
  readonly silent: number;
}

/** An item's calls beyond which they are written before the item is over: memory has to stay bounded. */
const mostHeld = 1_000;

/** One run of a job: what its calls go through. */
class Run {
  stopped = false;
  /** The time of the last sign of life. */
  last: number;
  items = 0;
  silent = 0;

  constructor(
    readonly core: Core,
    readonly recorder: Recorder,
    readonly purpose: Purpose,
  ) {
    this.last = core.clock.now();
  }
}

/** Takes the calls of one item, or of a whole plain job. */
class Scope implements Rehearsal {
  readonly purpose: Purpose;
  ended = false;
  calls = 0;
  #held: Taken[] = [];

  constructor(
    readonly run: Run,
    readonly item?: ItemOf,
  ) {
    this.purpose = run.purpose;
  }

  async record(call: Call, send: Judged, held: Held): Promise<void> {
    const { run } = this;
    if (this.item) await turn();
    // A queue may run another item's send, or a stranger's, where this item's has just ended.
    if (this.ended || run.stopped) throw late();
    this.calls++;
    run.last = run.core.clock.now();
    const taken = run.recorder.take(call, send, held, this.item);
    if (!this.item) return run.recorder.put([taken]);
    this.#held.push(taken);
    if (this.#held.length >= mostHeld) await this.flush();
  }

  /** Hands on what was held: an item's calls stand beside each other, and are written in one step. */
  flush(): Promise<void> {
    const held = this.#held;
    this.#held = [];
    return this.run.recorder.put(held);
  }
}

/** Lets everything that is ready run: a promise that is about to settle has settled after it. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Runs the job to its end, or until nothing has come of it for too long. */
export async function runJob<Item>(
  core: Core,
  purpose: Purpose,
  recorder: Recorder,
  source: PlanSource<Item> | PlanJob,
  options: JobOptions,
): Promise<JobFacts> {
  const run = new Run(core, recorder, purpose);
  const work = typeof source === "function" ? runPlain(run, source) : runItems(run, source, options);
  const watch = watchFor(run, options);
  try {
    await Promise.race([work, watch.stalled]);
  } catch (error) {
    if (MailfuseError.isInstance(error)) throw error;
    throw failed(error, options.resumable);
  } finally {
    run.stopped = true;
    watch.end();
  }
  return { items: run.items, silent: run.silent };
}

async function runPlain(run: Run, job: PlanJob): Promise<void> {
  const context = { purpose: run.purpose.name };
  await run.core.frames.run({ context, rehearsal: new Scope(run) }, () => job({ rehearsal: true }));
}

async function runItems<Item>(run: Run, source: PlanSource<Item>, options: JobOptions): Promise<void> {
  const { audience } = source;
  const items =
    Symbol.asyncIterator in audience
      ? audience[Symbol.asyncIterator]()
      : (audience as Iterable<Item>)[Symbol.iterator]();
  // One reader per lane; an async iterator answers several next() in order.
  const lane = async (): Promise<void> => {
    while (!run.stopped) {
      const next = await items.next();
      run.last = run.core.clock.now();
      if (next.done || run.stopped) return;
      await runItem(run, source, options, next.value, run.items++);
    }
  };
  try {
    await Promise.all(Array.from({ length: options.concurrency }, lane));
  } catch (error) {
    run.stopped = true;
    // A cursor should not stay open for a plan that is given up.
    await Promise.resolve(items.return?.()).catch(() => {});
    throw error;
  }
  if (options.known && options.known.end > run.items) throw changedAudience("ends before");
}

async function runItem<Item>(
  run: Run,
  source: PlanSource<Item>,
  { known }: JobOptions,
  value: Item,
  position: number,
): Promise<void> {
  const digest = itemDigest(source.key?.(value), value);
  const isSame = known?.isSame(position, digest);
  if (isSame === false) throw changedAudience("differs from");
  if (isSame) return;
  const data = source.data?.(value);
  const scope = new Scope(run, { position, digest, order: orderOf(source, value) });
  const context = { purpose: run.purpose.name, ...(data === undefined ? {} : { data }) };
  await run.core.frames.run({ context, rehearsal: scope }, () => source.send(value));
  scope.ended = true;
  if (scope.calls === 0) run.silent++;
  await scope.flush();
}

function orderOf<Item>(source: PlanSource<Item>, value: Item): number | undefined {
  const order = Math.trunc(Number(source.orderBy?.(value)));
  return Number.isSafeInteger(order) ? order : undefined;
}

/** Ends a job that sends nothing any more. */
function watchFor(run: Run, { timeoutMs, resumable }: JobOptions): { readonly stalled: Promise<never>; end(): void } {
  const { clock } = run.core;
  let cancel: () => void = () => {};
  const stalled = new Promise<never>((_resolve, reject) => {
    const look = (): void => {
      const left = run.last + timeoutMs - clock.now();
      if (left > 0) cancel = clock.after(left, look);
      else reject(stopped(timeoutMs, resumable));
    };
    look();
  });
  return { stalled, end: () => cancel() };
}

function goOn(id: string | undefined): string {
  return id === undefined
    ? "plan again"
    : `plan again, or go on with what is rendered: fuse.plan({ …, resume: "${id}" }, …)`;
}

function failed(cause: unknown, resumable: string | undefined): MailfuseError {
  return new MailfuseError(
    {
      code: "PLAN_JOB_FAILED",
      message: `Expected the job to render every mail, got ${codeOf(cause)} thrown by it; nothing was sent and no plan was made.`,
      fix: `Mend the job (its error is the cause of this one) and ${goOn(resumable)}.`,
    },
    { cause },
  );
}

function stopped(timeoutMs: number, resumable: string | undefined): MailfuseError {
  return new MailfuseError({
    code: "PLAN_JOB_FAILED",
    message: `Expected the job to render a mail within ${timeoutMs / 1000} s of the one before, or to end, got neither; nothing was sent and no plan was made.`,
    fix: `Look at what it waits for, or raise \`timeout\` where a mail takes that long; then ${goOn(resumable)}.`,
  });
}

function changedAudience(how: string): MailfuseError {
  return new MailfuseError({
    code: "PLAN_CHANGED",
    message: `Expected the audience of the run that was interrupted, got one that ${how} what is rendered already.`,
    fix: "Give the same items in the same order, with a `key` where an item's data change; or plan anew.",
  });
}

function late(): MailfuseError {
  return new MailfuseError({
    code: "CONTEXT_LOST",
    message:
      "Expected every send of a rehearsed item before its `send` ended, got one after it; it was not sent and is not in the plan.",
    fix: "Await every send in the job, and give the job its own queue: a shared one runs sends in each other's context.",
  });
}
