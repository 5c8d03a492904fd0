/** What a process holds after many sends. */
import { inChild } from "../child";
import { readable, summary } from "../measure";
import type { Row } from "../row";

interface Held {
  readonly grown: number;
  readonly start: number;
  readonly peak: number;
  readonly refused: number;
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
    const { grown, start, peak, refused } = await inChild<Held>(
      "memory-process.ts",
      [String(sends), String(people)],
      ["--expose-gc"],
    );
    return {
      ...summary([grown]),
      spread: [grown, peak],
      peer: `${readable(start)} MB when warm`,
      note: `${sends.toLocaleString("en-US")} sends, ${refused.toLocaleString("en-US")} of them refused by a cap`,
    };
  },
};
