/**
 * What happens instead of sending: simulation, redirection, and the spool.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type AdapterCase, type Bench, comparable, people } from "./bench";

const { ann, bob, inbox } = people;

/** The types a caller meets when it reads a result. */
function types(value: unknown, depth = 0): unknown {
  if (Array.isArray(value))
    return depth > 4 ? "array" : ["array", ...value.slice(0, 1).map((item) => types(item, depth + 1))];
  if (typeof value !== "object" || value === null) return value === null ? "null" : typeof value;
  if (depth > 4) return "object";
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, types((value as Record<string, unknown>)[key], depth + 1)]),
  );
}

function text(bench: Bench): string {
  return bench.recorder.requests.map((request) => request.body.toString("utf8")).join("\n");
}

/** Everything a body says, with base64 and percent signs taken away as far as a test needs. */
function spelledOut(bench: Bench): string {
  const raw = text(bench);
  const words = raw.match(/[A-Za-z0-9+/]{24,}={0,2}/g) ?? [];
  const decoded = words.map((word) => Buffer.from(word, "base64").toString("utf8"));
  return [
    raw,
    raw
      .replaceAll("+", " ")
      .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    ...decoded,
  ].join("\n");
}

/** Cases of what happens instead of sending. */
export const diversionCases: readonly AdapterCase[] = [
  {
    name: "answers a simulated send as the client answers a real one",
    each: "send",
    async run(bench) {
      const reads = bench.subject.reads ?? ((result: unknown) => result);
      const client = await bench.client();
      bench.attach(client);
      const real = await bench.send(client);
      for (const reason of ["rehearsal", "dropped", "captured", "duplicate"] as const) {
        bench.gate.verdict = { simulate: reason };
        assert.deepEqual(types(reads(await bench.send(client))), types(reads(real)));
      }
      assert.equal(bench.recorder.requests.length, 1);
    },
  },
  {
    name: "redirects every recipient to the inbox and to nobody else",
    each: "send",
    async run(bench) {
      const client = await bench.client();
      bench.attach(client);
      bench.gate.verdict = { redirect: inbox, note: { subjectPrefix: "[staging]", originals: [ann, bob] } };
      await bench.send(client, [ann, bob]);
      assert.deepEqual(new Set(bench.reached()), new Set([inbox]));
      const said = spelledOut(bench);
      if (!bench.subject.withoutHeaders?.includes(bench.entry)) {
        assert.match(said, /X-Mailfuse-Original-To/i);
        assert.ok(said.includes(ann) && said.includes(bob), "Expected the original recipients in the header.");
      }
      assert.doesNotMatch(said, /list-unsubscribe/i);
    },
  },
  {
    name: "prefixes the subject of a redirected mail",
    async run(bench) {
      const client = await bench.client();
      bench.attach(client);
      bench.gate.verdict = { redirect: inbox, note: { subjectPrefix: "[staging]", originals: [ann] } };
      await bench.send(client);
      assert.match(spelledOut(bench), /\[staging\]/);
    },
  },
  {
    name: "delivers a spooled call later, through another client, as the same request",
    each: "send",
    async run(bench) {
      const client = await bench.client();
      bench.attach(client);
      await bench.send(client, [ann]);
      const [call] = bench.gate.calls;
      assert.ok(call);
      const spooled = Uint8Array.from(call.spool());
      const later = await bench.client();
      const attachment = bench.attach(later);
      await attachment.ready?.();
      const revived = attachment.revive(spooled);
      assert.deepEqual(messages(revived.intent), messages(call.intent));
      await bench.gate.pass(revived);
      const [first, second] = bench.recorder.requests;
      assert.ok(first && second);
      assert.deepEqual(withoutHeaderCase(comparable(bench, second)), withoutHeaderCase(comparable(bench, first)));
      assert.deepEqual(
        bench.gate.outcomes.map(({ fate }) => fate),
        ["accepted", "accepted"],
      );
    },
  },
  {
    name: "refuses bytes that are no spooled call",
    async run(bench) {
      const attachment = bench.attach(await bench.client());
      await attachment.ready?.();
      for (const bytes of [new Uint8Array(), Buffer.from("{}"), Buffer.from("null"), Buffer.from([0, 1, 2, 255])]) {
        assert.throws(() => attachment.revive(bytes), { code: "PLAN_TAMPERED" });
      }
    },
  },
];

function messages(intent: {
  readonly kind: string;
  readonly messages?: readonly { digest(): string; recipients: unknown }[];
}) {
  return (intent.messages ?? []).map((message) => [message.recipients, message.digest()]);
}

// Header names do not tell case apart (RFC 9110, 5.1), and their order says nothing.
function withoutHeaderCase(request: unknown): unknown {
  const { headers, ...rest } = request as { headers?: readonly (readonly [string, string])[] };
  const plain = headers?.map(([name, value]) => `${name.toLowerCase()}: ${value}`).sort();
  return { ...rest, headers: plain };
}
