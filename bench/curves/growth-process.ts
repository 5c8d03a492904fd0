/**
 * Measures one line of the plot in a process of its own. All its points are set up first; then they take turns, in an order
 * that changes with every round, so that what the machine does besides, and how warm the code is, reaches all of them alike.
 *
 *     growth-process.ts NAME ROUNDS [quick]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import type { CapSpend } from "mailfuse";
import { benchFuse, contextOf } from "../fuse";
import { personOf, subject } from "../mail";
import { noopAdapter, noopClient } from "../noop";
import { growths, storeOf } from "./growth";

const [name, rounds = "1", quick] = process.argv.slice(2);
const growth = growths.find((one) => one.name === name);
if (!growth) throw new Error(`Expected the name of a line, got ${name}.`);
const { sizes, config, fill } = growth;
const folder = mkdtempSync(path.join(tmpdir(), "mailfuse-bench-"));
const each = quick ? 20 : 300;
const text = "Your order has left us. It should be with you on Thursday.";

/** Builds what stands around the sends of one point. */
async function point(size: number) {
  const store = storeOf(growth as NonNullable<typeof growth>, path.join(folder, `${size}.db`));
  let windows: readonly CapSpend[] = [];
  const { reserve } = store;
  store.reserve = (all) => {
    windows = all[0]?.caps ?? windows;
    return reserve(all);
  };
  const fuse = benchFuse({ store, ...config?.(size) });
  const client = fuse.attach(noopClient(), noopAdapter());
  const send = (to: string) => client.send({ to, subject, text });
  let index = 0;
  const some = async (count: number) => {
    for (let done = 0; done < count; done++) {
      const to = personOf(index++);
      await fuse.run(contextOf(index, to), () => send(to));
    }
    await fuse.flush();
  };
  await some(1);
  store.reserve = reserve;
  await fill?.(size, { store, fuse, send, windows });
  return { size, fuse, some, figures: [] as number[] };
}

const points: Awaited<ReturnType<typeof point>>[] = [];
for (const size of quick ? sizes.slice(0, 2) : sizes) points.push(await point(size));
/** Rounds for nothing: until the compiler is done, every turn is faster than the one before. */
const warming = quick ? 1 : 5;
for (let round = -warming; round < Number(rounds); round++) {
  for (let turn = 0; turn < points.length; turn++) {
    // Forth and back, beginning with another one each time: who comes behind whom changes too.
    const place = (round + warming + (round % 2 === 0 ? turn : points.length - turn)) % points.length;
    const { some, figures } = points[place] as (typeof points)[number];
    const before = process.cpuUsage();
    await some(each);
    const { user, system } = process.cpuUsage(before);
    if (round >= 0) figures.push((user + system) / each);
  }
}
for (const { fuse } of points) await fuse.close();
rmSync(folder, { recursive: true, force: true });
process.send?.(
  points.map(({ size, figures }) => ({ size, figures })),
  () => process.exit(),
);
