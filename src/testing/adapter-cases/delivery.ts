/**
 * Delivery: one call is one request at most, and what became of it is read as it is.
 *
 * @module
 */
import assert from "node:assert/strict";
import { MailfuseError } from "../../errors";
import { closedEndpoint } from "../recorder";
import type { AdapterCase, Bench } from "./bench";

async function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => assert.fail("Expected a failure, got an answer."),
    (reason: unknown) => reason,
  );
}

/** What a caller can tell an error by. */
function facts(error: unknown): unknown {
  const { name, code, message, status, statusCode } = error as Record<string, unknown>;
  const text = typeof message === "string" ? message.replace(/127\.0\.0\.1:\d+/g, "<endpoint>") : message;
  return { name, code, message: text, status, statusCode, type: (error as Error).constructor.name };
}

function onlyOutcome(bench: Bench) {
  assert.equal(bench.gate.outcomes.length, 1);
  return bench.gate.outcomes[0];
}

/** Cases of delivery. */
export const deliveryCases: readonly AdapterCase[] = [
  {
    name: "makes one request, after one commit, and reads that it was accepted",
    each: "send",
    async run(bench) {
      const client = await bench.client();
      bench.attach(client);
      await bench.send(client);
      assert.deepEqual(bench.gate.commits, [undefined]);
      assert.equal(bench.recorder.requests.length, 1);
      assert.equal(onlyOutcome(bench)?.fate, "accepted");
    },
  },
  {
    name: "sends nothing when refused, and the refusal arrives as it was thrown",
    each: "send",
    async run(bench) {
      const client = await bench.client();
      bench.attach(client);
      bench.gate.verdict = {
        refuse: { code: "NOT_ALLOWLISTED", message: "Expected an allowed address, got another." },
      };
      const error = await failure(bench.send(client));
      assert.ok(MailfuseError.isInstance(error), `Expected a MailfuseError, got ${String(error)}.`);
      assert.equal(error.code, "NOT_ALLOWLISTED");
      assert.equal(bench.recorder.requests.length, 0);
    },
  },
  {
    name: "sends nothing when the last word refuses",
    async run(bench) {
      const client = await bench.client();
      bench.attach(client);
      bench.gate.verdict = { refuseCommit: { code: "HALTED", message: "Expected no halt, got one." } };
      const error = await failure(bench.send(client));
      assert.ok(MailfuseError.isInstance(error) && error.code === "HALTED");
      assert.equal(bench.recorder.requests.length, 0);
    },
  },
  {
    name: "takes a lost answer for unknown, and does not send again",
    async run(bench) {
      const client = await bench.client();
      bench.attach(client);
      bench.recorder.replies.push("reset", "reset", "reset", "reset");
      await failure(bench.send(client));
      assert.equal(bench.recorder.requests.length, 1);
      assert.equal(onlyOutcome(bench)?.fate, "unknown");
    },
  },
  {
    name: "takes a server's error for unknown, and does not send again",
    async run(bench) {
      const client = await bench.client();
      bench.attach(client);
      for (let at = 0; at < 4; at++) bench.recorder.replies.push({ status: 500, body: "{}" });
      await failure(bench.send(client));
      assert.equal(bench.recorder.requests.length, 1);
      assert.equal(onlyOutcome(bench)?.fate, "unknown");
    },
  },
  {
    name: "reads a definite refusal, and the caller gets the client's own error",
    async run(bench) {
      bench.recorder.replies.push(bench.subject.replies.refused, bench.subject.replies.refused);
      const own = await failure(bench.send(await bench.client()));
      const client = await bench.client();
      bench.attach(client);
      const error = await failure(bench.send(client));
      assert.deepEqual(facts(error), facts(own));
      assert.equal(onlyOutcome(bench)?.fate, "refused");
      assert.equal(bench.recorder.requests.length, 2);
    },
  },
  {
    name: "tries again after being throttled, as the client does by itself, on the same reservation",
    async run(bench) {
      const { throttled } = bench.subject.replies;
      if (!throttled) return;
      const client = await bench.client();
      bench.attach(client);
      bench.recorder.replies.push(throttled);
      await bench.send(client);
      assert.deepEqual(bench.gate.commits, [undefined, "refused"]);
      assert.equal(bench.gate.calls.length, 1);
      assert.equal(bench.recorder.requests.length, 2);
      assert.equal(onlyOutcome(bench)?.fate, "accepted");
    },
  },
  {
    name: "knows that nothing was sent when no connection came about",
    async run(bench) {
      const endpoint = await closedEndpoint();
      const own = await failure(bench.send(await bench.subject.client(endpoint)));
      const client = await bench.subject.client(endpoint);
      bench.attach(client);
      const error = await failure(bench.send(client));
      assert.deepEqual(facts(error), facts(own));
      assert.equal(onlyOutcome(bench)?.fate, "failed");
    },
  },
  {
    name: "passes reads without asking",
    async run(bench) {
      const { read } = bench.subject;
      if (!read) return;
      const client = await bench.client();
      bench.attach(client);
      await read(client);
      assert.ok(bench.recorder.requests.length > 0);
      assert.deepEqual(new Set(bench.gate.intents.map(({ kind }) => kind)), new Set(["read"]));
      assert.deepEqual(bench.gate.commits, []);
    },
  },
  {
    name: "passes listed writes that mail nobody, and says what they are",
    async run(bench) {
      const { manage } = bench.subject;
      if (!manage) return;
      const client = await bench.client();
      bench.attach(client);
      bench.gate.verdict = { refuse: { code: "HALTED", message: "Expected no halt, got one." } };
      await manage(client);
      assert.equal(bench.recorder.requests.length, 1);
      assert.deepEqual(
        bench.gate.intents.map(({ kind }) => kind),
        ["management"],
      );
    },
  },
  {
    name: "keeps the mails of parallel calls apart",
    async run(bench) {
      const client = await bench.client();
      bench.attach(client);
      const to = Array.from({ length: 20 }, (_, at) => `person${at}@customers.test`);
      await Promise.all(to.map((one) => bench.send(client, [one])));
      const reached = bench.recorder.requests.map((request) =>
        bench.subject.recipients(request).filter((address) => to.includes(address)),
      );
      for (const people of reached) assert.equal(new Set(people).size, 1);
      assert.deepEqual(reached.map(([first]) => first).sort(), [...to].sort());
      assert.equal(bench.gate.commits.length, 20);
    },
  },
];
