import { describe, expect, it } from "vitest";
import type { Adapter, Address, Call, Codec, Gate, Outcome, WireRequest, WireResponse } from "../../src/adapter";
import {
  codecCall,
  copyJson,
  createMessage,
  decodeWire,
  fateOfStatus,
  isNoConnection,
  MailfuseError,
  type Refusal,
  readRecipients,
} from "../../src/adapter";
import { type AdapterUnderTest, adapterConformance } from "../../src/testing/adapter";

interface Mail {
  to: string[];
  subject: string;
  cc?: string[];
  headers?: Record<string, string>;
}

/** The smallest client there can be. */
class Toy {
  constructor(readonly endpoint: string) {}

  send(mail: Mail): Promise<{ id: string }> {
    return this.post("/send", mail);
  }

  async post(path: string, body: unknown): Promise<{ id: string }> {
    const answer = await fetch(this.endpoint + path, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json", connection: "close" },
    });
    const text = await answer.text();
    if (!answer.ok) throw Object.assign(new Error(`answered ${answer.status}`), { status: answer.status });
    return JSON.parse(text) as { id: string };
  }
}

const bodyOf = (request: WireRequest) =>
  (request.body.kind === "json" ? request.body.value : undefined) as unknown as Mail;

const codec: Codec = {
  provider: "toy",
  hosts: [],
  classify(request) {
    const problems: Refusal[] = [];
    const mail = bodyOf(request);
    const recipients = readRecipients(mail.to, "to", "to", "single", problems);
    const copies = readRecipients(mail.cc, "cc", "cc", "single", problems);
    return {
      kind: "send",
      messages: [createMessage({ recipients: [...recipients, ...copies], content: () => ({ subject: mail.subject }) })],
      problems,
    };
  },
  redirect(request, to, note) {
    const { cc: _cc, ...mail } = bodyOf(request);
    const value = {
      ...mail,
      to: [to.address],
      subject: `${note.subjectPrefix} ${mail.subject}`,
      headers: { "X-Mailfuse-Original-To": note.originals.join(", ") },
    };
    return { ...request, body: { kind: "json", value } };
  },
  simulate: () => ({ status: 200, headers: {}, body: { id: "simulated" } }),
  outcome: (_request, { status }: WireResponse): Outcome => ({ fate: fateOfStatus(status) }),
};

/** Ways to get an adapter wrong. */
interface Faults {
  codec?: Partial<Codec>;
  call?: (call: Call<unknown>, original: (mail: unknown) => Promise<unknown>, given: unknown) => Call<unknown>;
  keepsPatch?: boolean;
  blind?: boolean;
  anything?: boolean;
  swallows?: boolean;
}

function toyAdapter(faults: Faults = {}): Adapter<Toy> {
  return {
    name: "toy",
    attach(client, gate: Gate) {
      if (!(client instanceof Toy) && !faults.anything) {
        throw new MailfuseError({ code: "ATTACH_UNSUPPORTED", message: "Expected a Toy, got another object." });
      }
      const original = Toy.prototype.post;
      const used: Codec = { ...codec, ...faults.codec };
      const transport = {
        send: (request: WireRequest) => original.call(client, request.path, bodyOf(request)),
        answer: ({ body }: WireResponse) => body as unknown as { id: string },
        response: (settled: { result: { id: string } } | { error: unknown }) => {
          const status = "result" in settled ? 200 : (settled.error as { status?: number }).status;
          return status === undefined ? undefined : { status, headers: {}, body: undefined };
        },
        neverConnected: (error: unknown) => isNoConnection(error),
      };
      const post = async (path: string, body: unknown) => {
        const wire: WireRequest = {
          method: "POST",
          path,
          query: [],
          headers: [],
          body: { kind: "json", value: copyJson(body, gate.limits) },
        };
        const call = codecCall(used, wire, transport as never) as Call<unknown>;
        const passed = gate.pass(faults.call?.(call, (mail) => original.call(client, path, mail), body) ?? call);
        return faults.swallows ? passed.catch(() => ({ id: "" })) : passed;
      };
      const leave = enter(client, post, faults);
      return {
        detach: faults.keepsPatch ? () => {} : leave,
        verify: () => (intact(client) || faults.blind ? undefined : changed().refusals[0]),
        revive: (spooled) => codecCall(used, decodeWire(spooled), transport as never) as Call,
      };
    },
  };
}

type Post = Toy["post"] & { entries?: ((path: string, body: unknown) => Promise<unknown>)[] };
const intact = (client: Toy) => (client.post as Post).entries !== undefined;

/** Puts a function in the place of `post`; the last one that entered is asked. */
function enter(client: Toy, own: (path: string, body: unknown) => Promise<unknown>, faults: Faults): () => void {
  const entries = (client.post as Post).entries ?? [];
  if (entries.length === 0) {
    const post = (path: string, body: unknown) => entries.at(-1)?.(path, body);
    Object.assign(client, { post: Object.assign(post, { entries }) });
    // Whoever replaces it is told at the next send.
    const send = (mail: Mail) =>
      intact(client) || faults.blind ? client.post("/send", mail) : Promise.reject(changed());
    Object.defineProperty(client, "send", { value: send, configurable: true, writable: true });
  }
  entries.push(own);
  return () => {
    const at = entries.indexOf(own);
    if (at >= 0) entries.splice(at, 1);
    if (entries.length > 0) return;
    Reflect.deleteProperty(client, "post");
    Reflect.deleteProperty(client, "send");
  };
}

const changed = () => new MailfuseError({ code: "CHOKE_POINT_CHANGED", message: "Expected post, got another one." });

function subject(faults?: Faults): AdapterUnderTest<Toy> {
  return {
    name: "toy",
    adapter: () => toyAdapter(faults),
    client: (endpoint) => new Toy(endpoint),
    recipients: ({ body }) => {
      const mail = JSON.parse(body.toString()) as Mail;
      return [...mail.to, ...(mail.cc ?? [])];
    },
    replies: { accepted: () => ({ body: '{"id":"m"}' }), refused: { status: 400, body: "{}" } },
    sends: {
      plain: {
        args: (to) => [{ to: [...to], cc: ["copy@acme.test"], subject: "Hello", headers: { "List-Unsubscribe": "x" } }],
        call: (client, [mail]) => client.send(mail as unknown as Mail),
      },
    },
    tampers: {
      post: (client) => {
        client.post = () => Promise.resolve({ id: "mine" });
      },
    },
    comparable: ({ method, url, body }) => ({ method, url, body: body.toString() }),
  };
}

/** Runs the suite with a runner of its own, and gives the names of the cases that failed. */
async function failures(faults?: Faults): Promise<string[]> {
  const cases: [string, () => Promise<void>][] = [];
  const runner = {
    describe: (_name: string, body: () => void) => body(),
    it: Object.assign((name: string, body: () => Promise<void>) => void cases.push([name, body]), { skip: () => {} }),
  };
  adapterConformance(runner, subject(faults));
  const failed: string[] = [];
  for (const [name, body] of cases) await body().catch(() => failed.push(name));
  return failed;
}

describe("the adapter suite", () => {
  it("passes a sound adapter", async () => {
    expect(await failures()).toEqual([]);
  });

  const forward: Faults["call"] = (call, original, given) => ({
    ...call,
    deliver: async (commit) => {
      await commit();
      return original(given);
    },
  });

  it.each<[string, Faults, string]>([
    ["sends the caller's object", { call: forward }, "sends the copy when the input changes while it is judged: plain"],
    [
      "loses a field",
      {
        call: (call, original) => ({
          ...call,
          deliver: async (commit) => {
            await commit();
            return original({ to: ["ann@customers.test"], cc: ["copy@acme.test"] });
          },
        }),
      },
      "loses and invents no field: plain",
    ],
    [
      "overlooks a field of recipients",
      {
        codec: {
          classify: (request) =>
            codec.classify({ ...request, body: { kind: "json", value: { ...bodyOf(request), cc: [] } as never } }),
        },
      },
      "judges the addresses that reach the wire: plain",
    ],
    [
      "sends without asking",
      { call: (call, original, given) => ({ ...call, deliver: () => original(given) }) },
      "sends nothing when the last word refuses",
    ],
    [
      "sends twice",
      {
        call: (call) => ({
          ...call,
          deliver: async (commit) => {
            await call.deliver(commit);
            return call.deliver(async () => ({ reservation: "r" }));
          },
        }),
      },
      "makes one request, after one commit, and reads that it was accepted: plain",
    ],
    [
      "tries again after a lost answer",
      {
        call: (call) => ({
          ...call,
          deliver: (commit) => call.deliver(commit).catch(() => call.deliver(async () => ({ reservation: "r" }))),
        }),
      },
      "takes a lost answer for unknown, and does not send again",
    ],
    [
      "resolves refusals",
      { swallows: true },
      "sends nothing when refused, and the refusal arrives as it was thrown: plain",
    ],
    [
      "takes every answer for accepted",
      { call: (call) => ({ ...call, outcome: () => ({ fate: "accepted" }) }) },
      "takes a lost answer for unknown, and does not send again",
    ],
    [
      "takes every error for unknown",
      {
        call: (call) => ({
          ...call,
          outcome: (settled) => ("error" in settled ? { fate: "unknown" } : call.outcome(settled)),
        }),
      },
      "reads a definite refusal, and the caller gets the client's own error",
    ],
    [
      "answers a simulated send with nothing",
      { call: (call) => ({ ...call, simulate: () => undefined }) },
      "answers a simulated send as the client answers a real one: plain",
    ],
    [
      "leaves a copy in a redirected mail",
      {
        codec: {
          redirect: (request: WireRequest, to: Address, note) => ({
            ...request,
            body: {
              kind: "json",
              value: {
                ...(codec.redirect(request, to, note).body as { value: object }).value,
                cc: ["copy@acme.test"],
              } as never,
            },
          }),
        },
      },
      "redirects every recipient to the inbox and to nobody else: plain",
    ],
    ["stays after detaching", { keepsPatch: true }, "detaching restores the client exactly"],
    [
      "sees no replaced choke point",
      { blind: true },
      "notices a replaced choke point, and the next send is refused: post",
    ],
    ["takes any object", { anything: true }, "takes its own clients and refuses all else"],
  ])("fails one that %s", async (_, faults, name) => {
    expect(await failures(faults)).toContain(name);
  });

  it("refuses to skip a case that is not there", () => {
    const runner = { describe: () => {}, it: Object.assign(() => {}, { skip: () => {} }) };
    expect(() => adapterConformance(runner, { ...subject(), skip: { "a case of old": "gone" } })).toThrow(RangeError);
  });
});
