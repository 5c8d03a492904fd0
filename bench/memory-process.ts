/**
 * Sends so many mails to so many distinct people in a process of its own, through a fuse with every
 * guard on, and says how far its memory grew over what it held when it was warm.
 *
 *     memory-process.ts SENDS PEOPLE
 */
import process from "node:process";
import { memoryStore } from "mailfuse";
import { benchFuse, guarded } from "./fuse";
import { subject } from "./mail";
import { noopAdapter, noopClient } from "./noop";

const [sends = 0, people = 1] = process.argv.slice(2).map(Number);
// Caps bound what a window holds, so they are as an application has them. No keys: a key is held for a week,
// and belongs into a store that is no process's memory.
const receipt = guarded.purposes?.receipt as NonNullable<typeof guarded.purposes>[string];
// The clock of a shop with fifty thousand mails an hour: what is counted has to be forgotten again.
let now = 1_700_000_000_000;
const clock = { now: () => now, after: () => () => {} };
const fuse = benchFuse({
  store: memoryStore({ clock }),
  clock,
  purposes: {
    receipt: {
      ...receipt,
      caps: [
        { people: 2_000, per: "1m" },
        { people: 60_000, per: "1h" },
      ],
      perPerson: [{ messages: 5, per: "1h" }],
    },
  } as NonNullable<typeof guarded.purposes>,
});
const client = fuse.attach(noopClient(), noopAdapter());

let refused = 0;
async function send(index: number): Promise<void> {
  if (index % 14 === 0) now += 1_000;
  const to = `customer.${(index * 7_919) % people}@mail-${index % 40}.test`;
  const data = { orderId: `order-${index}`, email: to };
  await fuse
    .run({ purpose: "receipt", data, createdAt: now }, () =>
      client.send({ to, subject, text: "Your order has left us. It should be with you on Thursday." }),
    )
    .catch(() => {
      refused++;
    });
}

const held = () => {
  globalThis.gc?.();
  return process.memoryUsage().rss / 1024 ** 2;
};
const warm = Math.min(20_000, Math.ceil(sends / 5));
for (let index = 0; index < warm; index++) await send(index);
await fuse.flush();
const start = held();
let peak = start;
for (let index = warm; index < sends; index++) {
  await send(index);
  if (index % 100_000 === 0) peak = Math.max(peak, held());
}
await fuse.flush();
process.send?.({ grown: held() - start, start, peak: peak - start, refused });
