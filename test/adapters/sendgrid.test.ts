import singletonClient, { Client } from "@sendgrid/client";
import singleton, { MailService } from "@sendgrid/mail";
import { describe, expect, it, onTestFinished } from "vitest";
import { sendgridAdapter } from "../../adapters/sendgrid";
import type { Intent } from "../../src/adapter";
import { adapterConformance } from "../../src/testing/adapter";
import { scriptedGate } from "../../src/testing/gate";
import { type RecordedRequest, startRecorder } from "../../src/testing/recorder";

const from = "shop@acme.test";

function api(endpoint: string): Client {
  const client = new Client();
  client.setApiKey("SG.test");
  client.setDefaultRequest("baseUrl", endpoint);
  return client;
}

function service(endpoint: string): MailService {
  const mail = new MailService();
  mail.setClient(api(endpoint));
  return mail;
}

interface Body {
  personalizations: { [field: string]: { email: string }[] }[];
  mail_settings?: { bcc?: { email: string } };
}

function recipients(request: RecordedRequest): string[] {
  const body = JSON.parse(request.body.toString("utf8")) as Body;
  const named = body.personalizations.flatMap((one) => ["to", "cc", "bcc"].flatMap((field) => one[field] ?? []));
  const copy = body.mail_settings?.bcc?.email;
  return [...named.map(({ email }) => email), ...(copy ? [copy] : [])];
}

const replies = {
  accepted: () => ({ status: 202, headers: { "x-message-id": "m-1" } }),
  refused: {
    status: 400,
    headers: { "content-type": "application/json" },
    body: '{"errors":[{"message":"Bad"}]}',
  },
};

type Args = Parameters<MailService["send"]>;
const send = (mail: MailService, args: never[]) => mail.send(...(args as unknown as Args));
const reads = (result: unknown) => {
  const [{ statusCode, body }, same] = (
    Array.isArray((result as unknown[])[0]) ? (result as unknown[])[0] : result
  ) as [{ statusCode: number; body: unknown }, unknown];
  return { statusCode, body, same };
};

adapterConformance<MailService>(
  { describe, it },
  {
    name: "@sendgrid/mail",
    adapter: sendgridAdapter,
    client: service,
    recipients,
    replies,
    reads,
    sends: {
      text: { args: (to) => [{ to: [...to], from, subject: "Hello", text: "Hi" }], call: send },
      "names, files and settings": {
        args: (to) => [
          {
            to: to.map((email) => ({ email, name: "Smith, Ann" })),
            from: { email: from, name: "Acme" },
            replyTo: "desk@acme.test",
            subject: "Hello",
            html: "<p>Hi</p>",
            text: "Hi",
            headers: { "X-App": "1", "List-Unsubscribe": "<https://acme.test/u>" },
            categories: ["receipt"],
            customArgs: { order: "42" },
            asm: { groupId: 7 },
            sendAt: 1_900_000_000,
            trackingSettings: { clickTracking: { enable: false, enableText: false } },
            mailSettings: { footer: { enable: true, text: "bye", html: "<p>bye</p>" } },
            attachments: [
              { content: "aGVsbG8=", filename: "a.txt", type: "text/plain", disposition: "attachment", contentId: "a" },
            ],
          },
        ],
        call: send,
      },
      "one mail each": { args: (to) => [{ to: [...to], from, subject: "Hello", text: "Hi" }, true], call: send },
      personalizations: {
        args: (to) => [
          {
            personalizations: to.map((email) => ({ to: email, subject: "Hi you", substitutions: { name: "you" } })),
            from,
            subject: "Hello",
            text: "Hi {{name}}",
          },
        ],
        call: send,
      },
      template: {
        args: (to) => [{ to: [...to], from, templateId: "d-1", dynamicTemplateData: { name: "you" } }],
        call: send,
      },
      "an array of mails": { args: (to) => [[{ to: [...to], from, subject: "Hello", text: "Hi" }]], call: send },
      sendMultiple: {
        args: (to) => [{ to: [...to], from, subject: "Hello", text: "Hi" }],
        call: (mail, args) => mail.sendMultiple(...(args as unknown as Parameters<MailService["sendMultiple"]>)),
      },
      callback: {
        args: (to) => [{ to: [...to], from, subject: "Hello", text: "Hi" }],
        call: (mail, args) =>
          new Promise((resolve, reject) => {
            void mail.send(args[0] as never, false, (error, result) => (error ? reject(error) : resolve(result)));
          }),
      },
      "client.request": {
        args: (to) => [
          {
            method: "POST",
            url: "/v3/mail/send",
            body: {
              from: { email: from },
              subject: "Hello",
              content: [{ type: "text/plain", value: "Hi" }],
              personalizations: [{ to: to.map((email) => ({ email })) }],
            },
          },
        ],
        call: (mail, args) => (mail as unknown as { client: Client }).client.request(args[0] as never),
      },
    },
    tampers: {
      setClient: (mail) => mail.setClient(new Client()),
      "request on the client": (mail) => {
        (mail as unknown as { client: Client }).client.request = () => Promise.reject(new Error("mine"));
      },
    },
    read: (mail) => (mail as unknown as { client: Client }).client.request({ method: "GET", url: "/v3/templates" }),
    manage: (mail) =>
      (mail as unknown as { client: Client }).client.request({
        method: "POST",
        url: "/v3/asm/suppressions/global",
        body: { recipient_emails: ["ann@customers.test"] },
      }),
  },
);

/** One attached client in front of a recording server. */
async function attached(options?: Parameters<typeof sendgridAdapter>[0]) {
  const recorder = await startRecorder(replies.accepted);
  onTestFinished(() => recorder.close());
  const mail = service(recorder.url);
  const { client } = mail as unknown as { client: Client };
  const gate = scriptedGate();
  const attachment = sendgridAdapter(options).attach(mail, gate);
  onTestFinished(() => attachment.detach());
  const request = (data: object) => client.request(data as never);
  const only = () => {
    expect(gate.intents).toHaveLength(1);
    return gate.intents[0] as Intent;
  };
  return { recorder, mail, client, gate, attachment, request, only };
}

const body = (to: string) => ({
  personalizations: [{ to: [{ email: to }] }],
  from: { email: from },
  subject: "s",
  content: [{ type: "text/plain", value: "t" }],
});

const everyone = (intent: Intent) =>
  "messages" in intent
    ? intent.messages.flatMap((message) => message.recipients.map((one) => `${one.field} ${one.address}`))
    : [];
const codes = (intent: Intent) => ("problems" in intent ? (intent.problems ?? []).map(({ code }) => code) : []);

describe("a send is known by where it goes, however it is written", () => {
  it.each<[string, (url: string) => object]>([
    ["an absolute url", (url) => ({ url: `${url}/v3/mail/send` })],
    ["the uri alias", () => ({ uri: "/v3/mail/send" })],
    ["dot segments", () => ({ url: "/v3/templates/../mail/send" })],
    ["encoded dot segments", () => ({ url: "/v3/templates/%2e%2e/mail/send" })],
    ["an encoded slash", () => ({ url: "/v3/templates/..%2fmail/send" })],
    ["an encoded letter", () => ({ url: "/v3/mail/%73end" })],
    ["doubled slashes", () => ({ url: "//v3//mail//send".slice(1) })],
    ["a trailing slash", () => ({ url: "/v3/mail/send/" })],
    ["upper case", () => ({ url: "/V3/Mail/SEND" })],
    ["a backslash", () => ({ url: "/v3/mail\\send" })],
    ["a lower-case method", () => ({ url: "/v3/mail/send", method: "post" })],
    ["the path in baseUrl", (url) => ({ baseUrl: `${url}/v3/mail/`, url: "send" })],
    ["all of it in baseUrl", (url) => ({ baseUrl: `${url}/v3/mail/send`, url: "" })],
    ["a fragment", () => ({ url: "/v3/mail/send#/v3/templates" })],
  ])("%s", async (_, write) => {
    const { recorder, gate, request, only } = await attached();
    gate.verdict = { refuse: { code: "NOT_ALLOWLISTED", message: "no" } };
    await expect(
      request({ method: "POST", body: body("eve@evil.test"), ...write(recorder.url) }),
    ).rejects.toMatchObject({
      code: "NOT_ALLOWLISTED",
    });
    expect(everyone(only())).toEqual(["to eve@evil.test"]);
    expect(recorder.requests).toEqual([]);
  });

  it("request({}) with everything in the defaults", async () => {
    const { recorder, client, gate, request, only } = await attached();
    client.setDefaultRequest({ url: "/v3/mail/send", method: "POST", data: body("eve@evil.test") } as never);
    gate.verdict = { refuse: { code: "NOT_ALLOWLISTED", message: "no" } };
    await expect(request({})).rejects.toMatchObject({ code: "NOT_ALLOWLISTED" });
    expect(everyone(only())).toEqual(["to eve@evil.test"]);
    expect(recorder.requests).toEqual([]);
  });

  it("defaults changed while the mail is judged change nothing", async () => {
    const { recorder, client, gate, request } = await attached();
    gate.during = () => {
      client.setDefaultRequest({
        url: "/v3/other",
        data: body("eve@evil.test"),
        method: "PUT",
        params: { x: 1 },
      } as never);
    };
    await request({ method: "POST", url: "/v3/mail/send", body: body("ann@customers.test") });
    expect(recorder.requests.map(({ method, url }) => `${method} ${url}`)).toEqual(["POST /v3/mail/send"]);
    expect(recorder.requests.flatMap(recipients)).toEqual(["ann@customers.test"]);
  });

  it("a url that reads differently each time is read once", async () => {
    const { recorder, gate, request } = await attached();
    let readings = 0;
    const url = { toString: () => (++readings > 1 ? "/v3/mail/send" : "/v3/templates") };
    await request({ method: "POST", url, body: body("eve@evil.test") });
    expect(gate.intents.map(({ kind }) => kind)).toEqual(["management"]);
    expect(recorder.requests.map((one) => one.url)).toEqual(["/v3/templates"]);
  });

  it("a body given as JSON text is read, and leaves as it was read", async () => {
    const { recorder, request, only } = await attached();
    const text = JSON.stringify(body("ann@customers.test")).replace('"from"', '"personalizations":[],"from"');
    await request({
      method: "POST",
      url: "/v3/mail/send",
      body: text.replace("[]", JSON.stringify([{ to: [{ email: "eve@evil.test" }] }])),
    });
    expect(everyone(only())).toEqual(["to eve@evil.test"]);
    expect(recorder.requests.flatMap(recipients)).toEqual(["eve@evil.test"]);
  });
});

describe("what is no known send, listed write or plain read is refused", () => {
  it.each<[string, object]>([
    ["a path on no list", { method: "POST", url: "/v3/new_thing" }],
    ["a GET to mail/send", { method: "GET", url: "/v3/mail/send", body: body("eve@evil.test") }],
    ["a PUT to mail/send", { method: "PUT", url: "/v3/mail/send", body: body("eve@evil.test") }],
    ["the Web API v2, which sends by GET", { method: "GET", url: "/api/mail.send.json?to=eve@evil.test" }],
    [
      "a GET that says it is a POST",
      { method: "GET", url: "/v3/templates", headers: { "X-HTTP-Method-Override": "POST" } },
    ],
    [
      "a standing copy of every mail",
      { method: "PATCH", url: "/v3/mail_settings/bcc", body: { enabled: true, email: "eve@evil.test" } },
    ],
    ["a path that some servers cut short", { method: "POST", url: "/v3/asm/x;/../../mail" }],
    ["a URL nobody can read", { method: "POST", url: "http://[" }],
  ])("%s", async (_, data) => {
    const { request, only, gate } = await attached();
    gate.verdict = { refuse: { code: "REQUEST_UNKNOWN", message: "no" } };
    await expect(request(data)).rejects.toMatchObject({ code: "REQUEST_UNKNOWN" });
    expect(only().kind).toBe("unknown");
  });

  it.each<[string, object, string[]]>([
    [
      "a scheduled single send",
      { method: "PUT", url: "/v3/marketing/singlesends/s-1/schedule", body: { send_at: "now" } },
      ["s-1"],
    ],
    [
      "a single send to lists",
      {
        method: "POST",
        url: "/v3/marketing/singlesends",
        body: { send_to: { list_ids: ["l-1"], segment_ids: ["g-1"] } },
      },
      ["l-1", "g-1"],
    ],
    [
      "a single send to all",
      { method: "PATCH", url: "/v3/marketing/singlesends/s-1", body: { send_to: { all: true, list_ids: ["l-1"] } } },
      [],
    ],
    [
      "a marketing test",
      { method: "POST", url: "/v3/marketing/test/send_email", body: { template_id: "t", emails: ["eve@evil.test"] } },
      ["t"],
    ],
    ["a campaign now", { method: "POST", url: "/v3/campaigns/9/schedules/now" }, ["9"]],
    ["a campaign", { method: "POST", url: "/v3/campaigns", body: { list_ids: [5], segment_ids: [6] } }, ["5", "6"]],
  ])("%s mails an audience", async (_, data, audiences) => {
    const { request, only, gate } = await attached();
    gate.verdict = { refuse: { code: "AUDIENCE_UNDECLARED", message: "no" } };
    await expect(request(data)).rejects.toMatchObject({ code: "AUDIENCE_UNDECLARED" });
    expect(only()).toMatchObject({ kind: "audience", audiences });
  });

  it.each<[string, object, string[]]>([
    [
      "a verified sender",
      { method: "POST", url: "/v3/verified_senders", body: { from_email: "eve@evil.test" } },
      ["to eve@evil.test"],
    ],
    ["its reminder", { method: "POST", url: "/v3/verified_senders/resend/5" }, []],
    [
      "an invited teammate",
      { method: "POST", url: "/v3/teammates", body: { email: "eve@evil.test" } },
      ["to eve@evil.test"],
    ],
    [
      "DNS records by mail",
      { method: "POST", url: "/v3/whitelabel/dns/email", body: { email: "eve@evil.test" } },
      ["to eve@evil.test"],
    ],
  ])("%s is mail by SendGrid itself", async (_, data, to) => {
    const { request, only, gate } = await attached();
    gate.verdict = { refuse: { code: "SYSTEM_MAIL_REFUSED", message: "no" } };
    await expect(request(data)).rejects.toMatchObject({ code: "SYSTEM_MAIL_REFUSED" });
    expect(only().kind).toBe("system");
    expect(everyone(only())).toEqual(to);
  });

  it.each<[string, object]>([
    [
      "adding a global unsubscribe",
      { method: "POST", url: "/v3/asm/suppressions/global", body: { recipient_emails: ["a@b.test"] } },
    ],
    ["removing a bounce", { method: "DELETE", url: "/v3/suppression/bounces/ann%40customers.test" }],
    ["a contact", { method: "PUT", url: "/v3/marketing/contacts", body: { contacts: [{ email: "a@b.test" }] } }],
    ["a template", { method: "POST", url: "/v3/templates", body: { name: "n" } }],
    ["cancelling a single send", { method: "DELETE", url: "/v3/marketing/singlesends/s-1/schedule" }],
    ["a batch id", { method: "POST", url: "/v3/mail/batch" }],
  ])("%s passes", async (_, data) => {
    const { recorder, request, only } = await attached();
    await request(data);
    expect(only().kind).toBe("management");
    expect(recorder.requests).toHaveLength(1);
  });
});

describe("hidden carriers and fields", () => {
  it.each<[string, object, string]>([
    ["mail_settings.bcc", { mail_settings: { bcc: { enable: true, email: "eve@evil.test" } } }, "bcc eve@evil.test"],
    [
      "mail_settings.bcc that does not say it is off",
      { mail_settings: { bcc: { email: "eve@evil.test" } } },
      "bcc eve@evil.test",
    ],
  ])("%s is a recipient of every mail", async (_, extra, hidden) => {
    const { request, only } = await attached();
    const two = {
      ...body("ann@customers.test"),
      personalizations: [{ to: [{ email: "a@x.test" }] }, { to: [{ email: "b@x.test" }] }],
    };
    await request({ method: "POST", url: "/v3/mail/send", body: { ...two, ...extra } });
    expect(everyone(only())).toEqual(["to a@x.test", hidden, "to b@x.test", hidden]);
  });

  it.each<[string, object, string]>([
    ["a Bcc header", { headers: { Bcc: "eve@evil.test" } }, "HEADER_REFUSED"],
    ["a Bcc header with blanks", { headers: { "B c c": "eve@evil.test" } }, "HEADER_REFUSED"],
    ["X-SMTPAPI", { headers: { "X-SMTPAPI": '{"to":["eve@evil.test"]}' } }, "HEADER_REFUSED"],
    ["a line break in a value", { headers: { "X-App": "1\r\nBcc: eve@evil.test" } }, "HEADER_REFUSED"],
    ["a line break in a name", { headers: { "X-App: 1\r\nBcc": "eve@evil.test" } }, "HEADER_REFUSED"],
    ["an unknown field", { cc_list: ["eve@evil.test"] }, "FIELD_UNKNOWN"],
    ["a field in other case", { Personalizations: [] }, "FIELD_UNKNOWN"],
    [
      "content to a web address",
      { mail_settings: { spam_check: { enable: true, post_to_url: "https://evil.test" } } },
      "FIELD_UNKNOWN",
    ],
    [
      "several addresses in one",
      { personalizations: [{ to: [{ email: "a@x.test, eve@evil.test" }] }] },
      "ADDRESS_AMBIGUOUS",
    ],
    ["a name in the address", { personalizations: [{ to: [{ email: "a <eve@evil.test>" }] }] }, "ADDRESS_AMBIGUOUS"],
    [
      "an address in the name",
      { personalizations: [{ to: [{ email: "a@x.test", name: "x, eve@evil.test" }] }] },
      "ADDRESS_AMBIGUOUS",
    ],
    [
      "two spellings of a key",
      { personalizations: [{ to: [{ email: "a@x.test", Email: "eve@evil.test" }] }] },
      "FIELD_UNKNOWN",
    ],
    ["recipients as no list", { personalizations: { to: [{ email: "a@x.test" }] } }, "FIELD_UNKNOWN"],
  ])("%s is a reason to refuse", async (_, extra, code) => {
    const { request, only } = await attached();
    await request({ method: "POST", url: "/v3/mail/send", body: { ...body("ann@customers.test"), ...extra } });
    expect(codes(only())).toContain(code);
    expect(JSON.stringify(only())).toBeTypeOf("string");
  });

  it("headers of one personalization are judged too", async () => {
    const { request, only } = await attached();
    const personalizations = [{ to: [{ email: "a@x.test" }], headers: { Cc: "eve@evil.test" } }];
    await request({ method: "POST", url: "/v3/mail/send", body: { ...body("a@x.test"), personalizations } });
    expect(codes(only())).toEqual(["HEADER_REFUSED"]);
  });

  it("request settings that change the body on its way are a reason to refuse", async () => {
    const { client, request, only } = await attached();
    client.setDefaultRequest({ transformRequest: [() => JSON.stringify(body("eve@evil.test"))] } as never);
    await request({ method: "POST", url: "/v3/mail/send", body: body("ann@customers.test") });
    expect(codes(only())).toEqual(["FIELD_UNKNOWN"]);
  });

  it("a refusal names no address", async () => {
    const { request, only } = await attached();
    const extra = { "eve@evil.test": 1, personalizations: [{ to: [{ email: "a@x.test, eve@evil.test" }] }] };
    await request({ method: "POST", url: "/v3/mail/send", body: { ...body("a@x.test"), ...extra } });
    const intent = only();
    expect(JSON.stringify("problems" in intent && intent.problems)).not.toMatch(/evil|a@x/);
  });

  it("a query on mail/send is a reason to refuse", async () => {
    const { request, only } = await attached();
    await request({ method: "POST", url: "/v3/mail/send", qs: { to: "eve@evil.test" }, body: body("a@x.test") });
    expect(codes(only())).toEqual(["FIELD_UNKNOWN"]);
  });

  it("addresses leave as they were read", async () => {
    const { recorder, mail } = await attached();
    await mail.send({ to: "Ann <Ann@Bücher.TEST>", from, subject: "s", text: "t" });
    expect(recorder.requests.flatMap(recipients)).toEqual(["Ann@xn--bcher-kva.test"]);
  });
});

describe("content", () => {
  const messages = async (
    data: Parameters<MailService["send"]>[0],
    options?: Parameters<typeof sendgridAdapter>[0],
  ) => {
    const { mail, gate, recorder } = await attached(options);
    recorder.replies.push(
      ...(options
        ? [
            {
              headers: { "content-type": "application/json" },
              body: JSON.stringify({
                versions: [
                  { active: 0, subject: "old" },
                  {
                    active: 1,
                    subject: "Hi {{name}}",
                    html_content: "<b>{{name}}</b> {{#if x}}y{{/if}}",
                    plain_content: "{{name}}",
                  },
                ],
              }),
            },
          ]
        : []),
    );
    await mail.send(data);
    const sent = gate.intents.find((intent) => intent.kind === "send");
    return sent?.kind === "send" ? sent.messages.map((message) => message.content()) : [];
  };

  it("each personalization has its own, substitutions merged", async () => {
    const contents = await messages({
      personalizations: [
        { to: "a@x.test", substitutions: { name: "Ann" } },
        { to: "b@x.test", subject: "Own {{name}}", substitutions: { name: "{{name}} Bob" } },
      ],
      from,
      subject: "Hi {{name}}",
      html: "<p>{{name}}</p>",
    });
    expect(contents).toEqual([
      { subject: "Hi Ann", html: "<p>Ann</p>" },
      { subject: "Own {{name}} Bob", html: "<p>{{name}} Bob</p>" },
    ]);
  });

  it("a template's text is not known, its id and data are", async () => {
    const [content] = await messages({ to: "a@x.test", from, templateId: "d-9", dynamicTemplateData: { name: "Ann" } });
    expect(content).toMatchObject({ template: { id: "d-9", data: { name: "Ann" } }, unbound: expect.any(String) });
  });

  it("a template's text is read from SendGrid on request, and what cannot be merged is unbound", async () => {
    const [content] = await messages(
      { to: "a@x.test", from, templateId: "d-9", dynamicTemplateData: { name: "A&n" } },
      { resolveTemplates: true },
    );
    expect(content).toEqual({
      subject: "Hi A&n",
      text: "A&n",
      html: "<b>A&#x26;n</b> {{#if x}}y{{/if}}",
      template: { id: "d-9", data: { name: "A&n" } },
      unbound: expect.any(String),
    });
  });

  it("the digest tells texts and files apart, and equal ones alike", async () => {
    const { mail, gate } = await attached();
    const data = { to: "a@x.test", from, subject: "s", text: "t" };
    const file = (content: string) => ({ ...data, attachments: [{ content, filename: "f" }] });
    for (const one of [data, data, { ...data, text: "u" }, file("YQ=="), file("Yg==")]) await mail.send(one);
    const digests = gate.intents.flatMap((intent) =>
      intent.kind === "send" ? intent.messages.map((m) => m.digest()) : [],
    );
    expect(new Set(digests).size).toBe(4);
    expect(digests[0]).toBe(digests[1]);
  });

  it("substitutions that would grow without end are said to be unbound", async () => {
    const [content] = await messages({
      personalizations: [{ to: "a@x.test", substitutions: { a: "b".repeat(10_000) } }],
      substitutionWrappers: ["", ""],
      from,
      subject: "s",
      text: "a".repeat(100_000),
    });
    expect(content).toMatchObject({ text: "a".repeat(100_000), unbound: expect.any(String) });
  });
});

describe("clients that no fuse holds", () => {
  it("their mail is refused, their other calls pass untouched", async () => {
    const { recorder, gate } = await attached();
    const stranger = api(recorder.url);
    const send = { method: "POST" as const, url: "/v3/mail/send", body: body("eve@evil.test") };
    await expect(stranger.request(send)).rejects.toMatchObject({ code: "UNATTACHED_SEND" });
    await expect(
      stranger.request({ method: "PUT", url: "/v3/marketing/singlesends/1/schedule" }),
    ).rejects.toMatchObject({ code: "UNATTACHED_SEND" });
    expect(recorder.requests).toEqual([]);
    await stranger.request({ method: "PUT", url: "/v3/marketing/contacts", body: { contacts: [] } });
    await stranger.request({ method: "POST", url: "/v3/something_new", body: {} });
    expect(recorder.requests).toHaveLength(2);
    expect(gate.calls).toEqual([]);
  });

  it.each<[string, (mail: MailService, client: Client, url: string) => Promise<unknown>]>([
    [
      "new MailService()",
      (_, client) => {
        const other = new MailService();
        other.setClient(
          Object.assign(new Client(), {
            auth: "",
            defaultRequest: (client as unknown as { defaultRequest: object }).defaultRequest,
          }),
        );
        return other.send({ to: "eve@evil.test", from, subject: "s", text: "t" });
      },
    ],
    [
      "the constructor of the client",
      (_, client, url) => {
        const other = new (client.constructor as typeof Client)();
        other.setDefaultRequest("baseUrl", url);
        return other.request({ method: "POST", url: "/v3/mail/send", body: body("eve@evil.test") });
      },
    ],
    [
      "an object that inherits from the client",
      (_, client) =>
        (Object.create(client) as Client).request({
          method: "POST",
          url: "/v3/mail/send",
          body: body("eve@evil.test"),
        }),
    ],
  ])("%s leads nowhere else", async (_, go) => {
    const { recorder, mail, client } = await attached();
    await expect(go(mail, client, recorder.url)).rejects.toMatchObject({ code: "UNATTACHED_SEND" });
    expect(recorder.requests).toEqual([]);
  });

  it("what was looked at is what leaves, whatever a getter says the second time", async () => {
    const { recorder } = await attached();
    let readings = 0;
    await api(recorder.url).request({
      method: "POST",
      get url() {
        return ++readings > 1 ? "/v3/mail/send" : "/v3/templates";
      },
      body: body("eve@evil.test"),
    });
    expect(recorder.requests.map(({ url }) => url)).toEqual(["/v3/templates"]);
  });

  it("their refusals reach callbacks", async () => {
    const { recorder } = await attached();
    const stranger = api(recorder.url);
    const error = await new Promise((resolve) => {
      void stranger.request({ method: "POST", url: "/v3/mail/send", body: body("eve@evil.test") }, resolve);
    });
    expect(error).toMatchObject({ code: "UNATTACHED_SEND" });
  });

  it("their mail passes when configured so, but never through a replaced client", async () => {
    const recorder = await startRecorder(replies.accepted);
    onTestFinished(() => recorder.close());
    const mail = service(recorder.url);
    const gate = scriptedGate();
    gate.unattached = "pass";
    const attachment = sendgridAdapter().attach(mail, gate);
    onTestFinished(() => attachment.detach());
    await api(recorder.url).request({ method: "POST", url: "/v3/mail/send", body: body("bob@customers.test") });
    expect(recorder.requests).toHaveLength(1);
    mail.setClient(api(recorder.url));
    await expect(mail.send({ to: "eve@evil.test", from, subject: "s", text: "t" })).rejects.toMatchObject({
      code: "CHOKE_POINT_CHANGED",
    });
    expect(recorder.requests).toHaveLength(1);
  });

  it("a call through the prototype is judged as the client's own", async () => {
    const { recorder, client, gate } = await attached();
    const { request } = Client.prototype;
    await request.call(client, { method: "POST", url: "/v3/mail/send", body: body("ann@customers.test") });
    expect(gate.calls).toHaveLength(1);
    expect(recorder.requests).toHaveLength(1);
  });
});

describe("attaching", () => {
  it("takes the client of @sendgrid/client, and the singletons", () => {
    for (const target of [new Client(), singletonClient, singleton]) {
      const attachment = sendgridAdapter().attach(target, scriptedGate());
      expect(attachment.account).toBe("api.sendgrid.com");
      attachment.detach();
    }
  });

  it("refuses a client whose request was replaced before", () => {
    const client = new Client();
    client.request = () => Promise.reject(new Error("mine"));
    expect(() => sendgridAdapter().attach(client, scriptedGate())).toThrow(
      expect.objectContaining({ code: "ATTACH_UNSUPPORTED" }),
    );
  });

  it("restores the class after its last attachment only", () => {
    const original = Client.prototype.request;
    const first = sendgridAdapter().attach(new Client(), scriptedGate());
    const second = sendgridAdapter().attach(new Client(), scriptedGate());
    first.detach();
    expect(Client.prototype.request).not.toBe(original);
    second.detach();
    expect(Client.prototype.request).toBe(original);
    expect(Object.getOwnPropertyDescriptor(Client.prototype, "request")?.enumerable).toBe(false);
  });

  it("a patch of others on top stays when the fuse goes, and its calls go on", async () => {
    const { recorder, client, attachment } = await attached();
    const ours = Client.prototype.request;
    onTestFinished(() => {
      Client.prototype.request = ours;
    });
    Client.prototype.request = function patched(this: Client, ...args: Parameters<typeof ours>) {
      return ours.apply(this, args);
    };
    expect(attachment.verify()?.code).toBe("CHOKE_POINT_CHANGED");
    attachment.detach();
    await client.request({ method: "POST", url: "/v3/mail/send", body: body("ann@customers.test") });
    expect(recorder.requests).toHaveLength(1);
  });

  it("a callback gets a refusal as its error, once", async () => {
    const { mail, gate } = await attached();
    gate.verdict = { refuse: { code: "HALTED", message: "no" } };
    const calls: unknown[] = [];
    await mail.send(
      { to: "a@x.test", from, subject: "s", text: "t" },
      false,
      (error, result) => void calls.push([error, result]),
    );
    expect(calls).toEqual([[expect.objectContaining({ code: "HALTED" }), null]]);
  });
});

describe("outcomes", () => {
  it.each<[number, string]>([
    [202, "accepted"],
    [400, "refused"],
    [401, "refused"],
    [413, "refused"],
    [429, "refused"],
    [408, "unknown"],
    [500, "unknown"],
    [503, "unknown"],
  ])("%d is %s", async (status, fate) => {
    const { recorder, mail, gate } = await attached();
    recorder.replies.push({ status, headers: { "x-message-id": "m-7" }, body: "" });
    await mail.send({ to: "a@x.test", from, subject: "s", text: "t" }).catch(() => {});
    expect(gate.outcomes).toEqual([expect.objectContaining({ fate })]);
    if (fate === "accepted") expect(gate.outcomes[0]?.messageId).toBe("m-7");
  });
});
