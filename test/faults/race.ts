/**
 * The race: processes that send as fast as they can against one cap on a real mail server, killed at random and started
 * again. And a plan that all of them release, killed at random as well.
 */
import { generateKeys, signToken } from "../../src/plan/sign";
import type { Store } from "../../src/store";
import { type Check, type Result, type RunOptions, random } from "./check";
import type { Common, Job } from "./child";
import { bundled, Crew, peak } from "./crew";
import { type FuseOptions, guardedMailer, pseudonym } from "./fuse";
import { type Mailbox, startMailbox } from "./mailbox";
import { type FreshPlace, freshPlace, type Kind, skipped } from "./places";
import { openPlace } from "./stores";

interface Size {
  readonly processes: number;
  readonly attempts: number;
  readonly cap: number;
  readonly kills: number;
  readonly plan: number;
}

const full: Size = { processes: 8, attempts: 10_000, cap: 1_000, kills: 40, plan: 2_000 };
const quick: Size = { processes: 8, attempts: 150, cap: 200, kills: 5, plan: 80 };

/**
 * `race/<store>`, and `race-broken/<store>` with the lock or script taken out, where too many must arrive: a check that
 * cannot fail proves nothing. Nobody is killed there, because a kill loses mails that were counted and so hides others.
 */
export function raceCheck(kind: Kind, broken: boolean): Check {
  const why = skipped[kind];
  return {
    id: `race${broken ? "-broken" : ""}/${kind}`,
    ...(why === undefined ? {} : { skipped: why }),
    run: (options) => race(kind, broken, options),
  };
}

async function race(kind: Kind, broken: boolean, { quick: short, say }: RunOptions): Promise<Result> {
  const size = { ...(short ? quick : full), ...(broken ? { kills: 0 } : {}) };
  const fresh = await freshPlace(kind);
  const mailbox = await startMailbox();
  const keys = generateKeys();
  const crew = new Crew(await bundled());
  crew.keepReserves = true;
  try {
    const common: Common = {
      smtp: mailbox.port,
      people: size.cap,
      per: "24h",
      approver: keys.publicKey,
      skewMs: 0,
      broken,
    };
    const jobs = Array.from({ length: size.processes }, (_, n): Job => {
      const to = size.attempts;
      return { ...common, kind: "send", place: fresh.place(n), name: `p${n}`, from: 0, to, lanes: 10 };
    });
    await crew.start(jobs);
    crew.go();
    await killAtRandom(crew, mailbox, size, () => mailbox.arrived.size, say);
    await crew.until(() => {
      say(`${crew.tally.attempts} attempts, ${mailbox.arrived.size} arrived, ${crew.tally.kills} killed`);
      return crew.done;
    });

    const place = await openPlace(fresh.place(0));
    const unreserved = broken ? 0 : await withoutLine(place.store, mailbox);
    const delivered = mailbox.arrived.size;
    const twice = broken ? { people: 0, again: 0 } : await racePlan(place.store, fresh, mailbox, keys, size, say);
    await place.end();

    const most = peak(crew.tally.reserves);
    const over = Math.max(0, delivered - size.cap);
    const wrong = broken
      ? // The check must see what it looks for.
        Number(over === 0)
      : over + unreserved + twice.again + crew.tally.crashes + Number(most < 8);
    return {
      runs: 1,
      attempts: crew.tally.attempts,
      delivered,
      violations: wrong,
      notes: {
        cap: size.cap,
        kills: crew.tally.kills,
        "peak of reserves": most,
        ...(broken ? { "over the cap": over } : { "without a line before": unreserved }),
        ...(broken ? {} : { "of a plan": twice.people, "of it twice": twice.again }),
      },
    };
  } finally {
    await crew.kill();
    await mailbox.close();
    await fresh.end();
  }
}

/** By what has arrived, not by the clock: a slow machine gets as many kills in the middle of things. */
async function killAtRandom(
  crew: Crew,
  mailbox: Mailbox,
  size: Pick<Size, "kills" | "cap">,
  arrived: () => number,
  say: (what: string) => void,
): Promise<void> {
  const any = random(20_251_121);
  mailbox.onArrival = () => crew.wake();
  const restarts: Promise<void>[] = [];
  for (let kill = 0; kill < size.kills; kill++) {
    const next = Math.floor((size.cap * (kill + any(100) / 100)) / size.kills);
    await crew.until(() => crew.done || arrived() >= next);
    const living = crew.members.filter((member) => !member.ended && !member.starting);
    const member = living[any(Math.max(1, living.length))];
    if (member) restarts.push(crew.killAndRestart(member));
    say(`${crew.tally.attempts} attempts, ${arrived()} arrived, ${crew.tally.kills} killed`);
  }
  await Promise.all(restarts);
}

/** People whom mail has reached without a "reserved" line before it. */
async function withoutLine(store: Store, mailbox: Mailbox): Promise<number> {
  const reserved = new Map<string, number>();
  for (let after = 0; ; ) {
    const lines = await store.read(after, 5_000);
    if (lines.length === 0) break;
    for (const { event, at } of lines) {
      const { type, people } = JSON.parse(event) as { type: string; people?: readonly string[] };
      if (type === "reserved") for (const person of people ?? []) if (!reserved.has(person)) reserved.set(person, at);
    }
    after = lines.at(-1)?.seq ?? after;
  }
  const missing = [...mailbox.arrived].filter(([address, { at }]) => {
    const line = reserved.get(pseudonym(address));
    return line === undefined || line > at;
  });
  return missing.length;
}

/** A plan released by all processes at once, each killed now and then: how many got it, and how many twice. */
async function racePlan(
  store: Store,
  fresh: FreshPlace,
  mailbox: Mailbox,
  keys: { readonly publicKey: string; readonly privateKey: string },
  size: Size,
  say: (what: string) => void,
): Promise<{ people: number; again: number }> {
  const options: FuseOptions = { store, smtp: mailbox.port, people: size.cap, per: "24h", approver: keys.publicKey };
  const { fuse, send, close } = guardedMailer(options);
  const audience = Array.from({ length: size.plan }, (_, n) => `plan-${n}@people.example`);
  const plan = await fuse.plan(
    { purpose: "offer", expectedPeople: size.plan, requestedBy: "dana" },
    { audience, send: (to) => send(to, "Offer") },
  );
  if (plan.refusals.length > 0) throw new Error(`The plan was refused: ${plan.refusals[0]?.message}`);
  const now = await store.now();
  const { view } = await fuse.view(plan.id, { by: "erin" });
  const { id, digest } = plan;
  const token = await signToken({ plan: id, digest, view, by: "erin", privateKey: keys.privateKey, now });
  const crew = new Crew(await bundled());
  try {
    const common: Common = {
      smtp: mailbox.port,
      people: size.cap,
      per: "24h",
      approver: keys.publicKey,
      skewMs: 0,
      broken: false,
    };
    const place = (n: number) => fresh.place(n);
    await crew.start(
      Array.from(
        { length: size.processes },
        (_, n): Job => ({ ...common, kind: "release", place: place(n), plan: plan.id, token }),
      ),
    );
    crew.go();
    const reached = () => [...mailbox.arrived.keys()].filter((to) => to.startsWith("plan-")).length;
    // Each kill leaves what the process had claimed to the end of its lease: some entries stay behind, none goes twice.
    await killAtRandom(crew, mailbox, { kills: size.kills / 2, cap: size.plan / 2 }, reached, say);
    await crew.until(() => crew.done);
  } finally {
    await crew.kill();
    close();
  }
  const reached = [...mailbox.arrived].filter(([address]) => address.startsWith("plan-"));
  return { people: reached.length, again: reached.filter(([, { count }]) => count > 1).length };
}
