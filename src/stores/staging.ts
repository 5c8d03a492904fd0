/**
 * Reservations for thousands of people. One call over all of them would block the server for everybody, so they are
 * staged step by step: the windows are filled first, and the reservation itself is one script at the end. Whatever
 * is refused or fails is taken out again; if this process dies in between, staged people count until their window
 * has passed, which refuses rather than sends.
 *
 * @module
 */
import { type CapSpend, MailfuseError, type RateSpend, type Reservation } from "../store";

/** A window as it is staged. */
export interface StagedWindow {
  /** The spend's key, after `c:` for people and `m:` for messages. */
  readonly key: string;
  readonly windowMs: number;
  /** The most that any spend on this window allows: the set is the same for all of them. */
  readonly limit: number;
  /** Messages of a rate; -1 for a cap. */
  readonly messages: number;
}

/** Whether there was room, how many stood in the window, and how many were new. */
export type Room = readonly [room: boolean, used: number, wanted: number];

/**
 * What a store does in one step. A stamp names the staged people of one reservation; the first step gives it and stages nobody,
 * and it lies `slack` ahead: the reservation itself comes later than its first step, and people must
 * not leave the window before one whole length after it.
 */
export interface StagingServer {
  readonly deadlineMs: number;
  stage(
    stamp: string,
    slack: number,
    windows: readonly StagedWindow[],
    people: readonly string[],
  ): Promise<{ readonly stamp: string; readonly rooms: readonly Room[] }>;
  /** How many stand in a window, and how many of these people do not. */
  look(window: StagedWindow, people: readonly string[]): Promise<readonly [used: number, wanted: number]>;
  /** People who stood in these windows before are seen again now. */
  again(stamp: string, windows: readonly StagedWindow[], people: readonly string[]): Promise<void>;
  /** Takes staged people out of these windows, a bounded number of each; resolves to whether some are left. */
  unstage(stamp: string, keys: readonly string[]): Promise<boolean>;
}

/** The most that one step spends, counted in people times windows and messages: a few milliseconds of a server. */
const step = 2_000;

/** How long a step may take on average before the reservation comes too late. */
const stepMs = 200;

/** How much work a reservation is: people, messages, addresses and itself. */
export function weight(reservation: Reservation): number {
  return spends(reservation) + (reservation.addresses?.sealed.length ?? 0);
}

function spends(reservation: Pick<Reservation, "caps" | "rates">): number {
  let sum = 1;
  for (const cap of reservation.caps) sum += cap.people.length;
  for (const rate of reservation.rates) sum += rate.messages;
  return sum;
}

/** The key of a cap's window and of a rate's: the same text names two things. */
export function windowKey(spend: CapSpend | RateSpend): string {
  return "people" in spend ? `c:${spend.key}` : `m:${spend.key}`;
}

/** A limit as JSON and servers can hold it: whole, and without end is more than anybody mails. */
export function limit(spend: CapSpend | RateSpend): number {
  return Math.floor(Math.min(Number.MAX_SAFE_INTEGER, spend.limit));
}

/** Whether it is spent in steps. Its addresses are not: a write each, without a look at anybody else's. */
export function isLarge(reservation: Pick<Reservation, "caps" | "rates">): boolean {
  return spends(reservation) > step;
}

interface Window extends StagedWindow {
  limit: number;
  readonly people: readonly string[];
  full: boolean;
  /** How many stand in it with what was staged, and how many of those were staged. */
  held: number;
  added: number;
}

/** Spends that stand in their windows and wait for the reservation. */
export class Staging {
  readonly #server: StagingServer;
  readonly #windows = new Map<string, Window>();
  #stamp = "0";

  private constructor(server: StagingServer) {
    this.#server = server;
  }

  /** Names the staged people in the reservation that follows. */
  get stamp(): string {
    return this.#stamp;
  }

  /**
   * Stages all spends. A window without room is left as it was.
   *
   * @throws `STORE_UNAVAILABLE` after everything was taken out again, as far as the server could be reached
   */
  static async begin(server: StagingServer, caps: readonly CapSpend[], rates: readonly RateSpend[]): Promise<Staging> {
    const staging = new Staging(server);
    for (const spend of [...caps, ...rates]) staging.#add(spend);
    try {
      await staging.#fill();
    } catch (error) {
      await staging.rollback().catch(() => {});
      throw error;
    }
    return staging;
  }

  #add(spend: CapSpend | RateSpend): void {
    const key = windowKey(spend);
    const known = this.#windows.get(key);
    if (known) known.limit = Math.max(known.limit, limit(spend));
    else {
      const [people, messages] = "people" in spend ? [spend.people, -1] : [[], spend.messages];
      const { windowMs } = spend;
      this.#windows.set(key, { key, windowMs, limit: limit(spend), people, messages, full: false, held: 0, added: 0 });
    }
  }

  async #fill(): Promise<void> {
    const rates = [...this.#windows.values()].filter((window) => window.messages >= 0);
    const groups = this.#groups();
    const steps = 1 + Math.ceil(rates.length / step) + groups.reduce((sum, { chunks }) => sum + chunks.length, 0);
    const slack = this.#server.deadlineMs + stepMs * steps;
    // The stamp before anybody who has it: whoever is staged by a step whose answer is lost can be taken out again.
    this.#stamp = (await this.#server.stage("0", slack, [], [])).stamp;
    for (const group of groups) {
      for (const chunk of group.chunks) await this.#stage(slack, group.windows, chunk);
      for (const window of group.windows) if (window.full) await this.#makeRoom(window);
    }
    for (let from = 0; from < rates.length; from += step / 2) {
      await this.#stage(slack, rates.slice(from, from + step / 2), []);
    }
  }

  /** Windows of the same people go through one list. */
  #groups(): { readonly windows: Window[]; readonly chunks: readonly (readonly string[])[] }[] {
    const groups = new Map<readonly string[], Window[]>();
    for (const window of this.#windows.values()) {
      if (window.messages >= 0) continue;
      const group = groups.get(window.people);
      if (group) group.push(window);
      else groups.set(window.people, [window]);
    }
    return [...groups].map(([people, windows]) => ({ windows, chunks: chunksOf(people, windows.length) }));
  }

  async #stage(slack: number, all: readonly Window[], people: readonly string[]): Promise<void> {
    const windows = all.filter((window) => !window.full);
    if (windows.length === 0) return;
    const { stamp, rooms } = await this.#server.stage(this.#stamp, slack, windows, people);
    this.#stamp = stamp;
    windows.forEach((window, index) => {
      const [room, used, wanted] = rooms[index] as Room;
      window.full = !room;
      window.held = used + wanted;
      window.added += wanted;
    });
  }

  /** Empties a window that was too full, and counts what it would have taken. */
  async #makeRoom(window: Window): Promise<void> {
    await this.#unstage([window.key]);
    let used = 0;
    let wanted = 0;
    for (const people of chunksOf(window.people, 1)) {
      const counts = await this.#server.look(window, people);
      used = counts[0];
      wanted += counts[1];
    }
    window.added = wanted;
    window.held = used + wanted;
  }

  /** What became of a spend: `undefined` when it stands in its window. */
  obstacle(spend: CapSpend | RateSpend): { readonly used: number; readonly wanted: number } | undefined {
    const window = this.#windows.get(windowKey(spend));
    if (window && !window.full && window.held <= spend.limit) return undefined;
    const { held = 0, added = 0 } = window ?? {};
    return { used: held - added, wanted: added };
  }

  /** After the reservation: people who stood in a window before are seen again now. */
  async finish(): Promise<void> {
    for (const { windows, chunks } of this.#groups()) {
      const old = windows.filter((window) => !window.full && window.added < window.people.length);
      if (old.length === 0) continue;
      for (const chunk of chunks) await this.#server.again(this.#stamp, old, chunk);
    }
  }

  /** Takes everything out again. */
  async rollback(): Promise<void> {
    await this.#unstage([...this.#windows.keys()]);
  }

  async #unstage(keys: readonly string[]): Promise<void> {
    if (this.#stamp === "0") return;
    for (let from = 0; from < keys.length; from += 1_000) {
      const some = keys.slice(from, from + 1_000);
      while (await this.#server.unstage(this.#stamp, some));
    }
  }
}

function chunksOf(people: readonly string[], windows: number): (readonly string[])[] {
  const size = Math.max(50, Math.floor(step / windows));
  const chunks: (readonly string[])[] = [];
  for (let from = 0; from < people.length; from += size) chunks.push(people.slice(from, from + size));
  return chunks.length > 0 ? chunks : [[]];
}

/**
 * Ends staging by what became of the reservation: counted for good, or taken out again. `undefined` stands for one that
 * came after the staged people's time, and throws `STORE_UNAVAILABLE`.
 */
export async function settleStaging<Answer extends { readonly ok: boolean }>(
  staged: Staging,
  reserve: () => Promise<Answer | undefined>,
): Promise<Answer> {
  try {
    const answer = await reserve();
    if (!answer) throw tooLate();
    if (answer.ok) await staged.finish();
    else await staged.rollback();
    return answer;
  } catch (error) {
    await staged.rollback().catch(() => {});
    throw error;
  }
}

function tooLate(): MailfuseError {
  return new MailfuseError({
    code: "STORE_UNAVAILABLE",
    message: "Expected the store to take a large call within its time, got a later moment.",
    fix: "Nothing was sent. Raise `deadlineMs` if the store is far away or slow.",
  });
}
