/** What a process holds after many sends. */
import { inChild } from "../child";
import { readable, summary } from "../measure";
import type { Row } from "../row";

interface Held {
  readonly grown: number;
  readonly start: number;
  readonly peak: number;
  readonly refused: number;
  /** How far live objects grew: what is left of the growth is the engine's and the allocator's. */
  readonly heap: number;
}

export const memoryRow: Row = {
  id: "memory",
  what: "memory of a process over its start after 10,000,000 sends to 1,000,000 distinct people, caps declared, memory store",
  unit: "MB",
  target: { is: "<=", value: 40 },
  slow: true,
  async measure(effort) {
    const sends = effort.quick ? 10_000 : 10_000_000;
    const people = effort.quick ? 1_000 : 1_000_000;
    effort.tell(`${sends.toLocaleString("en-US")} sends`);
    const run = (times: number, ...more: string[]) =>
      inChild<Held>("memory-process.ts", [String(times), String(people), ...more], ["--expose-gc"]);
    const { grown, start, peak, refused, heap } = await run(sends);
    const few = effort.quick ? 10_000 : 150_000;
    const keyed = await run(few, "keys");
    const unkeyed = await run(few);
    const each = ((keyed.heap - unkeyed.heap) * 1024 ** 2) / (few - Math.min(20_000, Math.ceil(few / 5)));
    return {
      ...summary([grown]),
      spread: [grown, peak],
      peer: `${readable(start)} MB when warm`,
      note: `${sends.toLocaleString("en-US")} sends, ${refused.toLocaleString("en-US")} of them refused by a cap; live objects grew by ${readable(heap)} MB. Without idempotency keys: each is held for a week, or a retry would send twice, and takes ${readable(each)} bytes`,
    };
  },
};
