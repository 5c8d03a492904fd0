/**
 * Sends so many mails to so many distinct people in a process of its own, through a fuse with every
 * guard on, and says how far its memory grew over what it held when it was warm.
 *
 *     memory-process.ts SENDS PEOPLE [keys]
 *
 * With `keys`, every mail has an idempotency key of its own. Keys are held for a week, or a retry would send twice,
 * so this grows by as much as a key takes: it is measured to say how much that is.
 */
import process from "node:process";
import { memoryStore } from "mailfuse";
import { benchFuse, guarded } from "./fuse";
import { subject } from "./mail";
import { noopAdapter, noopClient } from "./noop";

const [sends = 0, people = 1] = process.argv.slice(2, 4).map(Number);
const keyed = process.argv[4] === "keys";
// Caps bound what a window holds, so they are as an application has them.
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
    .run({ purpose: "receipt", data, createdAt: now, ...(keyed ? { idempotencyKey: data.orderId } : {}) }, () =>
      client.send({ to, subject, text: "Your order has left us. It should be with you on Thursday." }),
    )
    .catch(() => {
      refused++;
    });
}

/** Megabytes of the whole process, and of live objects. */
function held(): readonly [rss: number, heap: number] {
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  return [rss / 1024 ** 2, heapUsed / 1024 ** 2];
}

const warm = Math.min(20_000, Math.ceil(sends / 5));
for (let index = 0; index < warm; index++) await send(index);
await fuse.flush();
const [start, startHeap] = held();
let peak = start;
const curve = [{ sends: warm, rss: start, heap: startHeap }];
const step = Math.ceil(sends / 20);
for (let index = warm; index < sends; index++) {
  await send(index);
  if (index % step !== 0) continue;
  const [rss, heap] = held();
  curve.push({ sends: index, rss, heap });
  peak = Math.max(peak, rss);
}
await fuse.flush();
const [end, endHeap] = held();
curve.push({ sends, rss: end, heap: endHeap });
const answer = { grown: end - start, start, peak: peak - start, refused, heap: endHeap - startHeap, curve };
if (process.send) process.send(answer);
else console.log(JSON.stringify(answer, undefined, 1));
