/**
 * Attaching, detaching, and noticing that the choke point was replaced.
 *
 * @module
 */
import assert from "node:assert/strict";
import { MailfuseError } from "../../errors";
import type { AdapterCase } from "./bench";

/** Own properties of the client, of its prototypes, and of the objects it holds. */
function shapeOf(client: object): Map<object, readonly unknown[]> {
  const shape = new Map<object, readonly unknown[]>();
  const visit = (value: unknown, depth: number): void => {
    if (typeof value !== "object" || value === null || value === Object.prototype || shape.has(value)) return;
    const descriptors = Object.getOwnPropertyDescriptors(value) as Record<string, PropertyDescriptor>;
    const keys = Reflect.ownKeys(descriptors);
    shape.set(
      value,
      keys.map((key) => {
        const {
          value: held,
          get,
          set,
          writable,
          enumerable,
          configurable,
        } = descriptors[key as string] as PropertyDescriptor;
        // What a client counts and caches for itself is not the adapter's; what it calls is.
        return [key, typeof held === "function" ? held : typeof held, get, set, writable, enumerable, configurable];
      }),
    );
    visit(Object.getPrototypeOf(value), depth);
    if (depth < 3) for (const key of keys) visit((descriptors[key as string] as PropertyDescriptor).value, depth + 1);
  };
  visit(client, 0);
  return shape;
}

async function refusal(work: Promise<unknown>): Promise<MailfuseError> {
  const error: unknown = await work.then(
    () => assert.fail("Expected a refusal, got an answer."),
    (reason: unknown) => reason,
  );
  assert.ok(MailfuseError.isInstance(error), `Expected a MailfuseError, got ${String(error)}.`);
  return error;
}

/** Cases of attaching. */
export const attachCases: readonly AdapterCase[] = [
  {
    name: "takes its own clients and refuses all else",
    async run(bench) {
      bench.attach(await bench.client());
      const others = [
        {},
        [],
        new Map(),
        () => {},
        Object.create(null) as object,
        { send() {}, request() {} },
        new Proxy({}, {}),
      ];
      for (const other of others) {
        assert.throws(
          () => bench.attach(other),
          (error: unknown) => MailfuseError.isInstance(error) && error.code === "ATTACH_UNSUPPORTED",
        );
      }
    },
  },
  {
    name: "leaves the client the same object of the same type",
    async run(bench) {
      const client = await bench.client();
      const type = client.constructor;
      bench.attach(client);
      assert.equal(client.constructor, type);
      assert.ok(client instanceof (type as new () => object));
      await bench.send(client);
      assert.equal(bench.gate.calls.length, 1);
    },
  },
  {
    name: "judges once when attached twice",
    async run(bench) {
      const client = await bench.client();
      const first = bench.attach(client);
      bench.attach(client);
      await bench.send(client);
      assert.equal(bench.gate.calls.length, 1);
      assert.equal(bench.recorder.requests.length, 1);
      first.detach();
      await bench.send(client);
      assert.equal(bench.gate.calls.length, 2);
    },
  },
  {
    name: "detaching restores the client exactly",
    async run(bench) {
      const client = await bench.client();
      const before = shapeOf(client);
      const attachment = bench.attach(client);
      attachment.detach();
      assert.deepEqual([...shapeOf(client).values()], [...before.values()]);
      await bench.send(client);
      assert.equal(bench.gate.calls.length, 0);
      assert.equal(bench.recorder.requests.length, 1);
      attachment.detach();
    },
  },
  {
    name: "two clients do not disturb each other",
    async run(bench) {
      const [first, second] = [await bench.client(), await bench.client()];
      bench.attach(first);
      const attachment = bench.attach(second);
      attachment.detach();
      await bench.send(first);
      assert.equal(bench.gate.calls.length, 1);
      bench.gate.verdict = { refuse: { code: "HALTED", message: "Expected no halt, got one." } };
      await refusal(bench.send(first));
      assert.equal(bench.recorder.requests.length, 1);
    },
  },
  {
    name: "finds its choke point in place",
    async run(bench) {
      const client = await bench.client();
      const attachment = bench.attach(client);
      assert.equal(attachment.verify(), undefined);
      await bench.send(client);
      assert.equal(attachment.verify(), undefined);
    },
  },
  {
    name: "notices a replaced choke point, and the next send is refused",
    each: "tamper",
    async run(bench) {
      const client = await bench.client();
      const attachment = bench.attach(client);
      bench.subject.tampers?.[bench.entry]?.(client);
      assert.equal(attachment.verify()?.code, "CHOKE_POINT_CHANGED");
      const error = await refusal(bench.send(client));
      assert.ok(["CHOKE_POINT_CHANGED", "UNATTACHED_SEND"].includes(error.code), error.code);
      assert.deepEqual(bench.reached(), []);
    },
  },
];
