import { describe, expect, it } from "vitest";
import { reservedEvent, settledEvent } from "../../src/ledger/events";
import type { Message } from "../../src/message";
import { createMessage } from "../../src/message";
import type { Purpose } from "../../src/purpose";
import { Judged, type SendInput } from "../../src/send";

const purpose = { name: 'a "quoted" \\ name\n' } as Purpose;
const other = { name: "other" } as Purpose;
const message = (person: string): Message =>
  createMessage({ recipients: [{ field: "to", address: person, person }], content: () => ({}) });

function judged(change: Partial<SendInput>, of: (message: Message) => Purpose = () => purpose): Judged {
  return new Judged({
    id: "0f",
    environment: "production",
    mode: "live",
    provider: "noop",
    account: undefined,
    stage: "single",
    intent: { kind: "send", messages: [message("ann@acme.test")], problems: [] },
    context: {},
    at: 1,
    redirectedTo: undefined,
    purpose: undefined,
    purposes: { of, fallback: other } as Pick<SendInput["purposes"], "of" | "fallback"> as SendInput["purposes"],
    audiences: new Map(),
    namings: [{ id: "n", pseudonym: (person) => `_${person.slice(0, 3)}` }],
    warn: () => {},
    ...change,
  });
}

/** The line's fields, after seeing that it is JSON as `JSON.stringify` writes it: chains are taken over the text. */
function read(line: string): Record<string, unknown> {
  const fields = JSON.parse(line) as Record<string, unknown>;
  expect(JSON.stringify(fields)).toBe(line);
  return fields;
}

describe("the reserved line", () => {
  it("is JSON, whatever purposes, accounts and notes are called", () => {
    const send = judged({ account: '"acme", {"x":1}' });
    send.note("evidence", 'order "7"\n\u2028\ud800');
    send.warn({ code: "CONTENT_BLANK", message: "a gap" });
    expect(read(reservedEvent(send, "policy"))).toEqual({
      v: 1,
      type: "reserved",
      id: "0f",
      env: "production",
      mode: "live",
      stage: "single",
      purposes: ['a "quoted" \\ name\n'],
      provider: "noop",
      account: '"acme", {"x":1}',
      messages: 1,
      policy: "policy",
      people: ["_ann"],
      warnings: { CONTENT_BLANK: 1 },
      notes: ['evidence:order "7"\n\u2028\ud800'],
    });
  });

  it("says of every mail what is true of it, though mails of one purpose share their text", () => {
    const plain = read(reservedEvent(judged({}), "policy"));
    const changes: readonly [Partial<SendInput>, string, unknown][] = [
      [{ environment: "staging" }, "env", "staging"],
      [{ mode: "observe" }, "mode", "observe"],
      [{ stage: "release" }, "stage", "release"],
      [{ provider: "other" }, "provider", "other"],
      [{ account: "acme" }, "account", "acme"],
      [{ redirectedTo: "qa@acme.test" }, "redirected", true],
      [{ intent: { kind: "send", messages: [message("a@x.test"), message("b@x.test")], problems: [] } }, "messages", 2],
    ];
    for (const [change, field, value] of changes) {
      expect(read(reservedEvent(judged(change), "policy"))[field]).toEqual(value);
      expect(read(reservedEvent(judged({}), "policy"))).toEqual(plain);
    }
    expect(read(reservedEvent(judged({}), "another"))).toMatchObject({ policy: "another" });
  });

  it("tells the people of each purpose of one call, and names nobody where nobody is known", () => {
    const messages = [message("ann@x.test"), message("bob@x.test"), message("cid@x.test")];
    const two = judged({ intent: { kind: "send", messages, problems: [] } }, (one) =>
      one === messages[2] ? other : purpose,
    );
    expect(read(reservedEvent(two, "p"))).toMatchObject({ people: ["_ann", "_bob", "_cid"], split: [2, 1] });
    const entry = { plan: "p_1", index: 7 };
    const nobody = judged({ intent: { kind: "send", messages: [], problems: [] }, entry });
    expect(read(reservedEvent(nobody, "p"))).toMatchObject({ people: [], plan: "p_1", entry: 7 });
  });
});

it("the settled line is JSON in its short form and its long one", () => {
  const name = (person: string) => person;
  expect(read(settledEvent("0f", { fate: "accepted" }, name))).toEqual({
    v: 1,
    type: "settled",
    id: "0f",
    fate: "accepted",
  });
  expect(read(settledEvent("0f", { fate: "refused", providerCode: '"5.1.1"' }, name))).toMatchObject({
    providerCode: '"5.1.1"',
  });
});
