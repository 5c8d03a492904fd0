/**
 * What the cases of the adapter suite work with.
 *
 * @module
 */
import type { Adapter, Attachment } from "../../adapter";
import { type ScriptedGate, scriptedGate } from "../gate";
import { type RecordedRequest, type Recorder, type Reply, startRecorder } from "../recorder";

/** A mail as an application sends it every day, to the given addresses. */
export interface EverydaySend<Client> {
  /** New arguments on every call. The addresses stand in them as plain strings. */
  readonly args: (to: readonly string[]) => unknown[];
  /** Calls the client as an application would; rejects where the client has its own idiom for errors. */
  readonly call: (client: Client, args: never[]) => Promise<unknown>;
}

/** How the provider answers. */
export interface Replies {
  readonly accepted: (request: RecordedRequest) => Reply;
  /** A definite refusal of the request (a 4xx). */
  readonly refused: Reply;
  /** A definite refusal that the client itself tries again, where it does. */
  readonly throttled?: Reply;
}

/** The adapter under test. */
export interface AdapterUnderTest<Client extends object> {
  readonly name: string;
  readonly adapter: () => Adapter<Client>;
  /** A new client, attached to nothing, whose requests go to `endpoint` (`http://127.0.0.1:<port>`). */
  readonly client: (endpoint: string) => Client | Promise<Client>;
  /** The addresses that a recorded request mails to, hidden copies included. */
  readonly recipients: (request: RecordedRequest) => readonly string[];
  readonly replies: Replies;
  /** Everyday mails by name; the first stands for all where one is enough. */
  readonly sends: Readonly<Record<string, EverydaySend<Client>>>;
  /**
   * What two requests for the same mail have in common, for comparing them.
   * @default method, URL, headers and body, without dates, boundaries, signatures and the port
   */
  readonly comparable?: (request: RecordedRequest) => unknown;
  /**
   * What a caller reads of a result, for comparing a real one with a simulated one by type.
   * @default the result itself
   */
  readonly reads?: (result: unknown) => unknown;
  /** Ways in which other code replaces the choke point after attaching, by name. */
  readonly tampers?: Readonly<Record<string, (client: Client) => void>>;
  /** A plain read. */
  readonly read?: (client: Client) => Promise<unknown>;
  /** A write that mails nobody, such as adding a suppression. */
  readonly manage?: (client: Client) => Promise<unknown>;
  /** Entries of `sends` whose format has no headers, so that a redirected copy cannot name its recipients. */
  readonly withoutHeaders?: readonly string[];
  /** Cases that do not apply, by name, each with the reason. */
  readonly skip?: Readonly<Record<string, string>>;
}

/** One thing an adapter must do. */
export interface AdapterCase {
  readonly name: string;
  /** Run once for every entry of `sends` or `tampers`. */
  readonly each?: "send" | "tamper";
  readonly run: (bench: Bench) => Promise<void>;
}

/** The people of the suite. */
export const people = {
  ann: "ann@customers.test",
  bob: "bob@customers.test",
  mallory: "mallory@intruder.test",
  inbox: "inbox@staging.test",
};

/** A client, a server and a gate, for one case. */
export interface Bench {
  readonly subject: AdapterUnderTest<object>;
  /** The entry the case runs for. */
  readonly entry: string;
  readonly recorder: Recorder;
  readonly gate: ScriptedGate;
  /** A new client towards the recorder. */
  client(): Promise<object>;
  attach(client: object): Attachment;
  /** Sends the case's mail. */
  send(client: object, to?: readonly string[]): Promise<unknown>;
  /** Sends with arguments that a test has prepared. */
  sendWith(client: object, args: unknown[]): Promise<unknown>;
  args(to?: readonly string[]): unknown[];
  /** The addresses on the wire so far, in order. */
  reached(): string[];
  close(): Promise<void>;
}

/** Sets one case up. */
export async function openBench(subject: AdapterUnderTest<object>, entry: string): Promise<Bench> {
  const recorder = await startRecorder(subject.replies.accepted);
  const gate = scriptedGate();
  const everyday = subject.sends[entry] ?? Object.values(subject.sends)[0];
  if (!everyday) throw new RangeError("Expected at least one entry in `sends`, got none.");
  const attachments: Attachment[] = [];
  const args = (to: readonly string[] = [people.ann]) => everyday.args(to);
  const sendWith = async (client: object, given: unknown[]) => everyday.call(client, given as never[]);
  return {
    subject,
    entry,
    recorder,
    gate,
    client: async () => subject.client(recorder.url),
    attach(client) {
      const attachment = subject.adapter().attach(client, gate);
      attachments.push(attachment);
      return attachment;
    },
    send: (client, to) => sendWith(client, args(to)),
    sendWith,
    args,
    reached: () => recorder.requests.flatMap((request) => [...subject.recipients(request)]),
    async close() {
      for (const attachment of attachments.reverse()) attachment.detach();
      await recorder.close();
    },
  };
}

/** Everything of a request that two sends of one mail have in common. */
export function comparable(bench: Bench, request: RecordedRequest): unknown {
  if (bench.subject.comparable) return bench.subject.comparable(request);
  const boundary = /boundary="?([^";]+)"?/.exec(
    request.rawHeaders.find(([name]) => /^content-type$/i.test(name))?.[1] ?? "",
  )?.[1];
  const plain = (text: string) => (boundary === undefined ? text : text.replaceAll(boundary, "<boundary>"));
  const changing = /^(?:date|x-amz-date|authorization|amz-sdk-invocation-id|host)$/i;
  const headers = request.rawHeaders
    .filter(([name]) => !changing.test(name))
    .map(([name, value]) => [name, plain(value)]);
  return { method: request.method, url: request.url, headers, body: plain(request.body.toString("latin1")) };
}
