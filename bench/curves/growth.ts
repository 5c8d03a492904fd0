/** What a send costs when there is more of everything around it. */
import { type FuseConfig, memoryStore } from "mailfuse";
import { benchFuse, contextOf, guarded } from "../fuse";
import { personOf, subject } from "../mail";
import { median } from "../measure";
import { noopAdapter, noopClient } from "../noop";
import { pseudonym, reservations } from "../reservation";
import type { Effort } from "../row";
import type { Line } from "./svg";

type Store = ReturnType<typeof memoryStore>;

interface Growth {
  readonly name: string;
  readonly sizes: readonly number[];
  /** The configuration with so many of them, and what is put into the store before. */
  readonly config?: (size: number) => Partial<FuseConfig>;
  readonly fill?: (
    size: number,
    store: Store,
    fuse: ReturnType<typeof benchFuse>,
    send: (to: string) => Promise<unknown>,
  ) => Promise<void>;
}

const growths: readonly Growth[] = [
  {
    name: "allowlist rules",
    sizes: [1, 10, 100, 1_000, 10_000],
    config: (size) => ({
      environment: "staging",
      environments: {
        staging: {
          mode: "test",
          allow: [
            ...Array.from({ length: 40 }, (_, index) => `*@mail-${index}.test`),
            ...Array.from({ length: size }, (_, index) => `*@host-${index}.acme.com`),
          ],
        },
      },
    }),
  },
  {
    name: "purposes",
    sizes: [1, 10, 100, 1_000],
    config: (size) => ({
      purposes: {
        ...guarded.purposes,
        ...Object.fromEntries(
          Array.from({ length: size }, (_, index) => [
            `other-${index}`,
            { kind: "stream" as const, match: { tag: `other-${index}` }, caps: [{ people: 10, per: "1h" }] },
          ]),
        ),
      },
    }),
  },
  {
    name: "plans stored",
    sizes: [1, 10, 100, 500],
    async fill(size, _store, fuse, send) {
      for (let index = 0; index < size; index++) {
        const plan = await fuse.plan(
          { purpose: "offer", expectedPeople: 1, requestedBy: "dana" },
          { audience: [`reader.${index}@mail-1.test`], send: (to) => send(to) },
        );
        if (plan.state !== "planned") throw new Error(`Expected a plan, got one that is ${plan.state}.`);
      }
    },
  },
  {
    name: "ledger lines",
    sizes: [1, 100, 10_000, 100_000],
    async fill(size, store) {
      const line = JSON.stringify({ v: 1, type: "settled", id: "0".repeat(36), fate: "accepted" });
      for (let done = 0; done < size; done += 1_000)
        await store.append(Array.from({ length: Math.min(1_000, size - done) }, () => line));
    },
  },
  {
    name: "people counted",
    sizes: [1, 100, 10_000, 100_000],
    async fill(size, store) {
      const make = reservations();
      const cap = guarded.purposes?.receipt?.caps?.[1];
      for (let done = 0; done < size; done += 10_000) {
        const people = Array.from({ length: Math.min(10_000, size - done) }, (_, index) => pseudonym(done + index));
        const window = {
          key: "production:purpose:receipt:3600000",
          windowMs: 3_600_000,
          limit: cap?.people ?? 1,
          people,
          enforce: true,
        };
        const [answer] = await store.reserve([{ ...make(done), caps: [window] }]);
        if (!answer?.ok) throw new Error("Expected people to be counted, got a refusal.");
      }
    },
  },
];

/** Microseconds of processor time for each send, by how many there are. */
export async function costPerSend(effort: Effort): Promise<readonly Line[]> {
  const lines: Line[] = [];
  // Measured once for nothing: the first point would show the compiler at work.
  const [first, ...others] = growths as [Growth, ...Growth[]];
  for (const { name, sizes, config, fill } of [{ ...first, name: "", sizes: [1, 10, 100] }, first, ...others]) {
    const points: [number, number][] = [];
    for (const size of effort.quick ? sizes.slice(0, 2) : sizes) {
      effort.tell(`${name || "warming up"}, ${size}`);
      const store = memoryStore();
      const fuse = benchFuse({ store, ...config?.(size) });
      const client = fuse.attach(noopClient(), noopAdapter());
      const text = "Your order has left us. It should be with you on Thursday.";
      const send = (to: string) => client.send({ to, subject, text });
      await store.open();
      await fill?.(size, store, fuse, send);
      let index = 0;
      const some = async (count: number) => {
        for (let done = 0; done < count; done++) {
          const to = personOf(index++);
          await fuse.run(contextOf(index, to), () => send(to));
        }
      };
      await some(effort.quick ? 50 : 2_000);
      const figures: number[] = [];
      for (let round = 0; round < effort.rounds; round++) {
        const before = process.cpuUsage();
        await some(effort.quick ? 50 : 1_000);
        const used = process.cpuUsage(before);
        figures.push((used.user + used.system) / (effort.quick ? 50 : 1_000));
      }
      points.push([size, median(figures)]);
      await fuse.close();
    }
    if (name !== "") lines.push({ name, points });
  }
  return lines;
}
