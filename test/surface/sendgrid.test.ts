import singletonClient, { Client } from "@sendgrid/client";
import singleton, { MailService } from "@sendgrid/mail";
import { describe, expect, it, onTestFinished } from "vitest";
import { sendgridAdapter } from "../../adapters/sendgrid";
import { scriptedGate } from "../../src/testing/gate";
import { startRecorder } from "../../src/testing/recorder";
import { type Methods, methodsOf, unclassified } from "./methods";

/** `generic` takes any request and is judged by it; `swaps` is noticed by the next send; `local` makes no request. */
type Kind = "send" | "generic" | "swaps" | "local";

const client = {
  createHeaders: "local",
  createRequest: "local",
  isString: "local",
  isValidApiKey: "local",
  isValidTwilioAuth: "local",
  request: "generic",
  setApiKey: "local",
  setDataResidency: "local",
  setDefaultHeader: "local",
  setDefaultRequest: "local",
  setImpersonateSubuser: "local",
  setTwilioEmailAuth: "local",
} as const satisfies Record<string, Kind>;

const service = {
  filterSecrets: "local",
  send: "send",
  sendMultiple: "send",
  setApiKey: "local",
  setClient: "swaps",
  setSecretRules: "local",
  setSubstitutionWrappers: "local",
  setTimeout: "local",
  setTwilioEmailAuth: "local",
} as const satisfies Record<string, Kind>;

client satisfies Record<Methods<Client>, Kind>;
service satisfies Record<Methods<MailService>, Kind>;

const ofService = Object.fromEntries([
  ...Object.entries(service),
  ...Object.entries(client).map(([name, kind]) => [`client.${name}`, kind]),
]) as Record<string, Kind>;

// The packages hang their classes on the singletons they export.
const classes = (names: string[]) => names.filter((name) => name !== "MailService" && name !== "Client");

describe("@sendgrid/mail and @sendgrid/client, as they are installed", () => {
  it.each<[string, object, Record<string, Kind>]>([
    ["MailService", new MailService(), ofService],
    ["the singleton of @sendgrid/mail", singleton, ofService],
    ["Client", new Client(), client],
    ["the singleton of @sendgrid/client", singletonClient, client],
  ])("%s has no method that nobody has judged", (_, object, table) => {
    expect(unclassified(classes(methodsOf(object)), table)).toEqual([]);
  });

  it.each(["send", "sendMultiple"] as const)("%s is classed as send", async (method) => {
    const mail = new MailService();
    const gate = scriptedGate();
    gate.verdict = { refuse: { code: "HALTED", message: "stop" } };
    const attachment = sendgridAdapter().attach(mail, gate);
    onTestFinished(() => attachment.detach());
    await mail[method]({ to: "ann@customers.test", from: "a@b.test", subject: "s", text: "t" }).catch(() => {});
    expect(gate.intents.map(({ kind }) => kind)).toEqual(["send"]);
  });

  it("methods that are said to make no request make none", async () => {
    const recorder = await startRecorder(() => ({ status: 202 }));
    onTestFinished(() => recorder.close());
    const mail = new MailService();
    const held = (mail as unknown as { client: Client }).client;
    const gate = scriptedGate();
    const attachment = sendgridAdapter().attach(mail, gate);
    onTestFinished(() => attachment.detach());
    held.setDefaultRequest("baseUrl", recorder.url);
    for (const [owner, table] of [
      [mail, service],
      [held, client],
    ] as const) {
      for (const [name, kind] of Object.entries(table)) {
        if (kind !== "local") continue;
        try {
          (owner as unknown as Record<string, (...args: unknown[]) => unknown>)[name]?.("SG.x", "y");
        } catch {}
      }
    }
    expect(gate.calls).toEqual([]);
    expect(recorder.requests).toEqual([]);
  });
});

it("would fail with a method more, at run time and when it is compiled", () => {
  class Newer extends Client {
    async sendNewsletter(): Promise<void> {}
  }
  expect(unclassified(methodsOf(new Newer()), client)).toEqual(["sendNewsletter is in no table: say what it does"]);
  // @ts-expect-error: sendNewsletter is missing
  client satisfies Record<Methods<Newer>, Kind>;
  client satisfies Record<Methods<Client>, Kind>;
});
