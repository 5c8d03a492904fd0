/**
 * A mail client of the simplest kind and its adapter: what the core does is seen in what this
 * client puts on its wire. Provider adapters have their own tests.
 */
import {
  type Adapter,
  type Call,
  createMessage,
  type Fate,
  MailfuseError,
  parseAddresses,
  type Recipient,
} from "../../src/adapter";

export interface FakeMail {
  readonly to: string | readonly string[];
  readonly cc?: readonly string[];
  readonly bcc?: readonly string[];
  readonly subject?: string;
  readonly text?: string;
  readonly tag?: string;
}

/** One call may hold several mails. */
export type FakeRequest = FakeMail | readonly FakeMail[];

export interface FakeClient {
  send(request: FakeRequest): Promise<{ id: string }>;
  /** Everything that reached the wire, one per mail, in order. */
  readonly wire: FakeMail[];
  /** What the provider makes of the next deliveries; accepted when there is none. */
  readonly fates: Fate[];
}

export function fakeClient(): FakeClient {
  const wire: FakeMail[] = [];
  const fates: Fate[] = [];
  return {
    wire,
    fates,
    async send(request) {
      wire.push(...[request].flat());
      return { id: `fake-${wire.length}` };
    },
  };
}

export function fakeAdapter(): Adapter<FakeClient> {
  return {
    name: "fake",
    attach(client, gate) {
      const original = client.send;
      client.send = (request) => gate.pass(callOf(client, original.bind(client), request));
      return {
        detach: () => {
          client.send = original;
        },
        verify: () => undefined,
        revive: (bytes) =>
          callOf(client, original.bind(client), JSON.parse(Buffer.from(bytes).toString("utf8")) as FakeRequest),
      };
    },
  };
}

function callOf(client: FakeClient, deliver: FakeClient["send"], request: FakeRequest): Call<{ id: string }> {
  const mails = structuredClone([request].flat()) as FakeMail[];
  const decoded = mails.map((mail) => {
    const fields = (["to", "cc", "bcc"] as const).map((field) => ({
      field,
      ...parseAddresses(mail[field] ?? [], field, "list"),
    }));
    const recipients: Recipient[] = fields.flatMap(({ field, addresses }) =>
      addresses.map((address) => ({ field, ...address })),
    );
    const problems = fields.flatMap((field) => field.problems);
    const message = createMessage({
      recipients,
      tags: mail.tag ? [mail.tag] : [],
      content: () => ({ subject: mail.subject ?? "Your order", text: mail.text ?? "It is on its way." }),
    });
    return { message, problems };
  });
  return {
    intent: {
      kind: "send",
      messages: decoded.map(({ message }) => message),
      problems: decoded.flatMap(({ problems }) => problems),
    },
    async deliver(commit) {
      await commit();
      const fate = client.fates.shift();
      if (fate && fate !== "accepted") throw new FakeFailure(fate);
      return deliver(mails);
    },
    simulate: (reason) => ({ id: `simulated-${reason}` }),
    outcome(settled) {
      if ("result" in settled) return { fate: "accepted", messageId: settled.result.id };
      return { fate: settled.error instanceof FakeFailure ? settled.error.fate : "unknown" };
    },
    async redirect(to, note) {
      return callOf(
        client,
        deliver,
        mails.map((mail) => ({
          to: to.address,
          subject: `${note.subjectPrefix} ${mail.subject ?? ""}`,
          text: mail.text ?? "",
          ...(mail.tag ? { tag: mail.tag } : {}),
        })),
      );
    },
    spool: () => Buffer.from(JSON.stringify(mails)),
  };
}

/** What a provider's client throws. */
class FakeFailure extends Error {
  constructor(readonly fate: Fate) {
    super(`the provider answered: ${fate}`);
  }
}

/** The code a promise rejects with; the text of what it resolved with, when it did not reject. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    return `resolved: ${JSON.stringify(await promise)}`;
  } catch (error) {
    return MailfuseError.isInstance(error) ? error.code : `threw: ${String(error)}`;
  }
}
