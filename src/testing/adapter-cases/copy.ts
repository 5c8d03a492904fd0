/**
 * What was checked is what is sent: whatever the caller's objects do, the addresses on the wire are
 * those that were judged.
 *
 * @module
 */
import assert from "node:assert/strict";
import { MailfuseError } from "../../errors";
import { type AdapterCase, type Bench, comparable, people } from "./bench";

const { ann, mallory } = people;

/** Every object and array in a value, itself included. Only plain ones: instances are the client's. */
function containers(value: unknown, found: Set<object> = new Set()): Set<object> {
  if (typeof value !== "object" || value === null || found.has(value) || ArrayBuffer.isView(value)) return found;
  found.add(value);
  for (const key of Object.keys(value)) containers((value as Record<string, unknown>)[key], found);
  return found;
}

/** Puts an intruder wherever the recipient stands, as an application that reuses its objects does. */
function intrude(args: unknown): void {
  for (const container of containers(args)) {
    const record = container as Record<string, unknown>;
    for (const key of Object.keys(record)) {
      const value = record[key];
      if (typeof value === "string" && value.includes(ann)) record[key] = value.replaceAll(ann, mallory);
    }
    if (Array.isArray(container) && container.some((item) => typeof item === "string" && item.includes(mallory))) {
      container.push(mallory);
    }
  }
}

/** Makes every text that holds the recipient a getter that names an intruder from the `turn`-th reading on. */
function makeTwoFaced(args: unknown, turn: number): void {
  for (const container of containers(args)) {
    const record = container as Record<string, unknown>;
    for (const key of Object.keys(record)) {
      const value = record[key];
      if (typeof value !== "string" || !value.includes(ann)) continue;
      let readings = 0;
      Object.defineProperty(record, key, {
        get: () => (++readings >= turn ? value.replaceAll(ann, mallory) : value),
        enumerable: true,
        configurable: true,
      });
    }
  }
}

/** Gives every object that holds the recipient a `toJSON` that names an intruder instead. */
function makeTalkative(args: unknown): void {
  for (const container of containers(args)) {
    const text = JSON.stringify(container);
    if (!text.includes(ann)) continue;
    const other: unknown = JSON.parse(text.replaceAll(ann, mallory));
    Object.defineProperty(container, "toJSON", { value: () => other, enumerable: false });
  }
}

/** Sends with prepared arguments; a refusal is as good as a mail to the judged people alone. */
async function sendHostile(bench: Bench, prepare: (args: unknown[]) => void): Promise<void> {
  const client = await bench.client();
  bench.attach(client);
  const args = bench.args();
  prepare(args);
  const error: unknown = await bench.sendWith(client, args).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const judged = bench.gate.intents.flatMap((intent) =>
    "messages" in intent ? intent.messages.flatMap((message) => message.recipients.map(({ address }) => address)) : [],
  );
  const reached = bench.reached();
  assert.deepEqual(new Set(reached), new Set(reached.length === 0 ? [] : judged));
  if (reached.length === 0) assert.ok(error, "Expected the mail to be sent or refused, got neither.");
}

/** Cases of the copy. */
export const copyCases: readonly AdapterCase[] = [
  {
    name: "judges the addresses that reach the wire",
    each: "send",
    async run(bench) {
      const client = await bench.client();
      bench.attach(client);
      await bench.send(client, [ann]);
      const [intent] = bench.gate.intents;
      assert.equal(intent?.kind, "send");
      assert.ok(intent?.kind === "send");
      assert.deepEqual(intent.problems, []);
      const judged = intent.messages.flatMap((message) => message.recipients.map(({ address }) => address));
      assert.deepEqual(new Set(judged), new Set(bench.reached()));
      assert.ok(judged.includes(ann));
    },
  },
  {
    name: "sends the copy when the input changes while it is judged",
    each: "send",
    async run(bench) {
      const client = await bench.client();
      bench.attach(client);
      const args = bench.args();
      bench.gate.during = () => intrude(args);
      await bench.sendWith(client, args);
      assert.ok(bench.reached().includes(ann));
      assert.ok(!bench.reached().includes(mallory));
    },
  },
  {
    name: "sends what was judged when the input changes right after the call",
    each: "send",
    run: (bench) =>
      sendHostile(bench, (args) => {
        queueMicrotask(() => intrude(args));
      }),
  },
  ...[2, 3, 4].map(
    (turn): AdapterCase => ({
      name: `sends what was judged when getters answer differently on reading ${turn}`,
      each: "send",
      run: (bench) => sendHostile(bench, (args) => makeTwoFaced(args, turn)),
    }),
  ),
  {
    name: "sends what was judged when objects have a toJSON of their own",
    each: "send",
    run: (bench) => sendHostile(bench, makeTalkative),
  },
  {
    name: "refuses while Object.prototype is polluted",
    async run(bench) {
      const client = await bench.client();
      bench.attach(client);
      const args = bench.args();
      const before = bench.recorder.requests.length;
      Object.defineProperty(Object.prototype, "bcc", { value: mallory, configurable: true, enumerable: true });
      let error: unknown;
      try {
        error = await bench.sendWith(client, args).then(
          () => undefined,
          (reason: unknown) => reason,
        );
      } finally {
        Reflect.deleteProperty(Object.prototype, "bcc");
      }
      assert.ok(error, "Expected a refusal, got an answer.");
      if (MailfuseError.isInstance(error)) assert.equal(error.code, "PROTOTYPE_POLLUTED");
      assert.equal(bench.recorder.requests.length, before);
    },
  },
  {
    name: "loses and invents no field",
    each: "send",
    async run(bench) {
      await bench.send(await bench.client(), [ann]);
      const client = await bench.client();
      bench.attach(client);
      await bench.send(client, [ann]);
      const [bare, guarded] = bench.recorder.requests;
      assert.ok(bare && guarded);
      assert.deepEqual(comparable(bench, guarded), comparable(bench, bare));
    },
  },
];
