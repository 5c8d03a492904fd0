import * as v1 from "@aws-sdk/client-ses";
import * as v2 from "@aws-sdk/client-sesv2";
import { describe, expect, it, onTestFinished } from "vitest";
import { sesAdapter, sesCodec } from "../../adapters/ses";
import { type Address, type Intent, parseAddress } from "../../src/adapter";
import { adapterConformance } from "../../src/testing/adapter";
import { scriptedGate } from "../../src/testing/gate";
import { type RecordedRequest, readForm, startRecorder } from "../../src/testing/recorder";
import { liveFuse } from "../support/gates";

const from = "shop@acme.test";
const credentials = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "secret" };
const config = (endpoint: string) => ({ region: "eu-west-1", endpoint, credentials });

const addresses = (text: string) => text.match(/[^\s<>,:"]+@[^\s<>,:"]+/g) ?? [];
const headersOf = (mime: string) =>
  (mime.split("\r\n\r\n")[0] ?? "")
    .split("\r\n")
    .filter((line) => /^(?:to|cc|bcc):/i.test(line))
    .flatMap(addresses);

interface V2Body {
  Destination?: Record<string, string[]>;
  BulkEmailEntries?: { Destination: Record<string, string[]> }[];
  Content?: { Raw?: { Data: string } };
}

function v2Recipients(request: RecordedRequest): string[] {
  const body = JSON.parse(request.body.toString("utf8")) as V2Body;
  const lists = [body.Destination, ...(body.BulkEmailEntries ?? []).map((entry) => entry.Destination)];
  const raw = body.Content?.Raw?.Data;
  return [
    ...lists.flatMap((list) =>
      Object.values(list ?? {})
        .flat()
        .flatMap(addresses),
    ),
    ...(raw ? headersOf(Buffer.from(raw, "base64").toString("utf8")) : []),
  ];
}

function v1Recipients(request: RecordedRequest): string[] {
  return readForm(request).flatMap(({ name, value }) => {
    if (/Addresses\.member\.\d+$|^Destinations\.member\.\d+$/.test(name) && !name.startsWith("ReplyTo"))
      return addresses(value);
    return name === "RawMessage.Data" ? headersOf(Buffer.from(value, "base64").toString("utf8")) : [];
  });
}

const json = { "content-type": "application/json" };
const v2Replies = {
  accepted: (request: RecordedRequest) => ({
    headers: json,
    body: request.url.includes("bulk")
      ? JSON.stringify({
          BulkEmailEntryResults: (JSON.parse(request.body.toString()) as V2Body).BulkEmailEntries?.map(() => ({
            Status: "SUCCESS",
            MessageId: "m",
          })),
        })
      : '{"MessageId":"m-1"}',
  }),
  refused: { status: 400, headers: { ...json, "x-amzn-errortype": "MessageRejected" }, body: '{"message":"no"}' },
  throttled: {
    status: 429,
    headers: { ...json, "x-amzn-errortype": "TooManyRequestsException" },
    body: '{"message":"slow"}',
  },
};

const xml = { "content-type": "text/xml" };
const namespace = "http://ses.amazonaws.com/doc/2010-12-01/";
const v1Replies = {
  accepted: (request: RecordedRequest) => {
    const fields = readForm(request);
    const action = fields.find(({ name }) => name === "Action")?.value ?? "";
    const entries = new Set(fields.flatMap(({ name }) => /^Destinations\.member\.(\d+)\.Dest/.exec(name)?.[1] ?? []));
    const status = [...entries].map(() => "<member><Status>Success</Status><MessageId>m</MessageId></member>").join("");
    const result = action === "SendBulkTemplatedEmail" ? `<Status>${status}</Status>` : "<MessageId>m-1</MessageId>";
    const body = `<${action}Response xmlns="${namespace}"><${action}Result>${result}</${action}Result><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></${action}Response>`;
    return { headers: xml, body };
  },
  refused: {
    status: 400,
    headers: xml,
    body: `<ErrorResponse xmlns="${namespace}"><Error><Type>Sender</Type><Code>MessageRejected</Code><Message>no</Message></Error><RequestId>r</RequestId></ErrorResponse>`,
  },
  throttled: {
    status: 400,
    headers: xml,
    body: `<ErrorResponse xmlns="${namespace}"><Error><Type>Sender</Type><Code>Throttling</Code><Message>slow</Message></Error><RequestId>r</RequestId></ErrorResponse>`,
  },
};

const simple = { Subject: { Data: "Hello" }, Body: { Text: { Data: "Hi" }, Html: { Data: "<p>Hi</p>" } } };
const mime = (to: readonly string[]) =>
  `From: ${from}\r\nTo: ${to.join(", ")}\r\nSubject: Hello\r\nList-Unsubscribe: <x>\r\n\r\nHi`;

type Class = new (input: never) => object;
const sendWith = (type: Class) => (client: { send(command: never): Promise<unknown> }, args: never[]) =>
  client.send(new type(args[0] as never) as never);

adapterConformance<v2.SESv2Client>(
  { describe, it },
  {
    name: "@aws-sdk/client-sesv2",
    adapter: () => sesAdapter({ sdk: v2 }),
    client: (endpoint) => new v2.SESv2(config(endpoint)),
    recipients: v2Recipients,
    replies: v2Replies,
    reads: (result) => ({
      ...(result as object),
      $metadata: (result as { $metadata: { httpStatusCode: number } }).$metadata.httpStatusCode,
    }),
    sends: {
      simple: {
        args: (to) => [{ FromEmailAddress: from, Destination: { ToAddresses: [...to] }, Content: { Simple: simple } }],
        call: sendWith(v2.SendEmailCommand as Class),
      },
      "names, copies, headers and tags": {
        args: (to) => [
          {
            FromEmailAddress: `Shop <${from}>`,
            Destination: { CcAddresses: to.map((one) => `Ann <${one}>`), BccAddresses: [...to] },
            ReplyToAddresses: ["desk@acme.test"],
            Content: {
              Simple: {
                ...simple,
                Headers: [
                  { Name: "List-Unsubscribe", Value: "<https://acme.test/u>" },
                  { Name: "X-App", Value: "1" },
                ],
                Attachments: [{ FileName: "a.txt", RawContent: Buffer.from("hello"), ContentType: "text/plain" }],
              },
            },
            EmailTags: [{ Name: "kind", Value: "receipt" }],
            ConfigurationSetName: "main",
            ListManagementOptions: { ContactListName: "l" },
          },
        ],
        call: sendWith(v2.SendEmailCommand as Class),
      },
      raw: {
        args: (to) => [{ Content: { Raw: { Data: Buffer.from(mime(to)) } } }],
        call: sendWith(v2.SendEmailCommand as Class),
      },
      template: {
        args: (to) => [
          {
            FromEmailAddress: from,
            Destination: { ToAddresses: [...to] },
            Content: { Template: { TemplateName: "welcome", TemplateData: '{"name":"Ann"}' } },
          },
        ],
        call: sendWith(v2.SendEmailCommand as Class),
      },
      bulk: {
        args: (to) => [
          {
            FromEmailAddress: from,
            DefaultContent: {
              Template: {
                TemplateContent: { Subject: "Hi {{name}}", Text: "{{name}}" },
                TemplateData: '{"name":"you"}',
              },
            },
            BulkEmailEntries: to.map((one) => ({
              Destination: { ToAddresses: [one] },
              ReplacementEmailContent: { ReplacementTemplate: { ReplacementTemplateData: '{"name":"Ann"}' } },
            })),
          },
        ],
        call: sendWith(v2.SendBulkEmailCommand as Class),
      },
      "the aggregated client": {
        args: (to) => [{ FromEmailAddress: from, Destination: { ToAddresses: [...to] }, Content: { Simple: simple } }],
        call: (client, args) => (client as v2.SESv2).sendEmail(args[0] as never),
      },
      callback: {
        args: (to) => [{ FromEmailAddress: from, Destination: { ToAddresses: [...to] }, Content: { Simple: simple } }],
        call: (client, args) =>
          new Promise((resolve, reject) => {
            client.send(new v2.SendEmailCommand(args[0] as never), (error, result) =>
              error ? reject(error) : resolve(result),
            );
          }),
      },
    },
    tampers: {
      "the request handler": (client) => {
        client.config.requestHandler = {
          ...client.config.requestHandler,
          handle: () => Promise.reject(new Error("mine")),
        } as never;
      },
      "the handler's handle": (client) => {
        client.config.requestHandler.handle = () => Promise.reject(new Error("mine"));
      },
      "a removed middleware": (client) => void client.middlewareStack.remove("mailfuse"),
      "another removed middleware": (client) => void client.middlewareStack.remove("mailfuseTicket"),
    },
    read: (client) => client.send(new v2.GetAccountCommand({})),
    manage: (client) =>
      client.send(new v2.PutSuppressedDestinationCommand({ EmailAddress: "ann@customers.test", Reason: "COMPLAINT" })),
  },
);

adapterConformance<v1.SESClient>(
  { describe, it },
  {
    name: "@aws-sdk/client-ses",
    adapter: () => sesAdapter({ sdk: v1 }),
    client: (endpoint) => new v1.SES(config(endpoint)),
    recipients: v1Recipients,
    replies: v1Replies,
    reads: (result) => ({
      ...(result as object),
      $metadata: (result as { $metadata: { httpStatusCode: number } }).$metadata.httpStatusCode,
    }),
    withoutHeaders: ["simple", "templated", "bulk"],
    sends: {
      raw: {
        args: (to) => [{ RawMessage: { Data: Buffer.from(mime(to)) }, Destinations: [...to] }],
        call: sendWith(v1.SendRawEmailCommand as Class),
      },
      simple: {
        args: (to) => [
          {
            Source: from,
            Destination: { ToAddresses: [...to] },
            Message: simple,
            Tags: [{ Name: "kind", Value: "receipt" }],
          },
        ],
        call: sendWith(v1.SendEmailCommand as Class),
      },
      templated: {
        args: (to) => [{ Source: from, Destination: { ToAddresses: [...to] }, Template: "t", TemplateData: "{}" }],
        call: sendWith(v1.SendTemplatedEmailCommand as Class),
      },
      bulk: {
        args: (to) => [
          {
            Source: from,
            Template: "t",
            DefaultTemplateData: "{}",
            Destinations: to.map((one) => ({
              Destination: { ToAddresses: [one] },
              ReplacementTemplateData: '{"name":"Ann"}',
            })),
          },
        ],
        call: sendWith(v1.SendBulkTemplatedEmailCommand as Class),
      },
    },
    read: (client) => client.send(new v1.GetSendQuotaCommand({})).catch(() => undefined),
    manage: (client) => client.send(new v1.DeleteTemplateCommand({ TemplateName: "t" })).catch(() => undefined),
  },
);

async function attached(options: Parameters<typeof sesAdapter>[0] = {}, more: object = {}) {
  const recorder = await startRecorder(v2Replies.accepted);
  onTestFinished(() => recorder.close());
  const client = new v2.SESv2({ ...config(recorder.url), ...more });
  const gate = scriptedGate();
  const attachment = sesAdapter(options).attach(client, gate);
  onTestFinished(() => attachment.detach());
  const only = () => {
    expect(gate.intents).toHaveLength(1);
    return gate.intents[0] as Intent;
  };
  return { recorder, client, gate, attachment, only };
}

const mail = (to: string) => ({
  FromEmailAddress: from,
  Destination: { ToAddresses: [to] },
  Content: { Simple: simple },
});
const everyone = (intent: Intent) =>
  "messages" in intent
    ? intent.messages.map((message) => message.recipients.map((one) => `${one.field} ${one.address}`))
    : [];
const codes = (intent: Intent) => ("problems" in intent ? (intent.problems ?? []).map(({ code }) => code) : []);
const no = (code: "REQUEST_UNKNOWN" | "NOT_ALLOWLISTED" | "AUDIENCE_UNDECLARED" | "SYSTEM_MAIL_REFUSED") => ({
  refuse: { code, message: "no" },
});

type Stack = { add(middleware: unknown, options: object): void };
const evilInput = (next: (args: object) => unknown) => (args: { input: object }) =>
  next({ ...args, input: { ...args.input, Destination: { ToAddresses: ["eve@evil.test"] } } });

describe("ways around the middleware", () => {
  it("a handler cached before attaching", async () => {
    const recorder = await startRecorder(v2Replies.accepted);
    onTestFinished(() => recorder.close());
    const client = new v2.SESv2Client({ ...config(recorder.url), cacheMiddleware: true });
    await client.send(new v2.SendEmailCommand(mail("ann@customers.test")));
    const gate = scriptedGate();
    const attachment = sesAdapter().attach(client, gate);
    onTestFinished(() => attachment.detach());
    gate.verdict = no("NOT_ALLOWLISTED");
    await expect(client.send(new v2.SendEmailCommand(mail("eve@evil.test")))).rejects.toMatchObject({
      code: "NOT_ALLOWLISTED",
    });
    expect(recorder.requests).toHaveLength(1);
  });

  it("cached handlers judge each send by itself, and rest after detaching", async () => {
    const { recorder, client, gate, attachment } = await attached({}, { cacheMiddleware: true });
    await Promise.all(["a@x.test", "b@x.test", "c@x.test"].map((to) => client.send(new v2.SendEmailCommand(mail(to)))));
    expect(gate.commits).toHaveLength(3);
    attachment.detach();
    await client.send(new v2.SendEmailCommand(mail("d@x.test")));
    expect(gate.commits).toHaveLength(3);
    expect(new Set(recorder.requests.flatMap(v2Recipients))).toEqual(
      new Set(["a@x.test", "b@x.test", "c@x.test", "d@x.test"]),
    );
  });

  it("a command resolved before attaching", async () => {
    const recorder = await startRecorder(v2Replies.accepted);
    onTestFinished(() => recorder.close());
    const client = new v2.SESv2Client(config(recorder.url));
    const command = new v2.SendEmailCommand(mail("eve@evil.test"));
    const resolved = command.resolveMiddleware(
      client.middlewareStack as never,
      client.config as never,
      undefined as never,
    );
    const attachment = sesAdapter().attach(client, scriptedGate());
    onTestFinished(() => attachment.detach());
    await expect(resolved(command as never)).rejects.toMatchObject({ code: "UNATTACHED_SEND" });
    expect(recorder.requests).toEqual([]);
  });

  it("the stack of another client with this one's configuration", async () => {
    const { recorder, client } = await attached();
    const other = new v2.SESv2Client(config(recorder.url));
    const command = new v2.SendEmailCommand(mail("eve@evil.test"));
    const resolved = command.resolveMiddleware(
      other.middlewareStack as never,
      client.config as never,
      undefined as never,
    );
    await expect(resolved(command as never)).rejects.toMatchObject({ code: "UNATTACHED_SEND" });
    expect(recorder.requests).toEqual([]);
  });

  it.each<[string, (stack: Stack) => void]>([
    ["at initialize, after ours", (stack) => stack.add(evilInput, { step: "initialize", priority: "low", name: "x" })],
    ["at serialize", (stack) => stack.add(evilInput, { step: "serialize", priority: "high", name: "x" })],
    [
      "of the body at build",
      (stack) =>
        stack.add(
          (next: (args: object) => unknown) => (args: { request: { body: unknown } }) => {
            args.request.body = Buffer.from(args.request.body as Uint8Array)
              .toString()
              .replace("ann@customers", "eve@evil");
            return next(args);
          },
          { step: "build", name: "x" },
        ),
    ],
    [
      "of the path at build",
      (stack) =>
        stack.add(
          (next: (args: object) => unknown) => (args: { request: { path: string } }) => {
            args.request.path = "/v2/email/outbound-custom-verification-emails";
            return next(args);
          },
          { step: "build", name: "x" },
        ),
    ],
    [
      "of the text",
      (stack) =>
        stack.add(
          (next: (args: object) => unknown) => (args: { input: object }) =>
            next({ ...args, input: { ...args.input, Content: { Simple: { ...simple, Subject: { Data: "other" } } } } }),
          { step: "serialize", priority: "high", name: "x" },
        ),
    ],
  ])("a middleware of the command %s is noticed", async (_, add) => {
    const { recorder, client } = await attached();
    const command = new v2.SendEmailCommand(mail("ann@customers.test"));
    add(command.middlewareStack as unknown as Stack);
    await expect(client.send(command)).rejects.toMatchObject({ code: "CHOKE_POINT_CHANGED" });
    expect(recorder.requests).toEqual([]);
  });

  it("a middleware of the application that runs before is judged with what it changes", async () => {
    const { client, gate, only } = await attached();
    (client.middlewareStack as unknown as Stack).add(evilInput, { step: "initialize", name: "x" });
    gate.verdict = no("NOT_ALLOWLISTED");
    await expect(client.send(new v2.SendEmailCommand(mail("ann@customers.test")))).rejects.toMatchObject({
      code: "NOT_ALLOWLISTED",
    });
    expect(everyone(only())).toEqual([["to eve@evil.test"]]);
  });

  it("a read that turns into a mail on its way", async () => {
    const { recorder, client } = await attached();
    const command = new v2.GetAccountCommand({});
    (command.middlewareStack as unknown as Stack).add(
      (next: (args: object) => unknown) => (args: { request: object }) => {
        Object.assign(args.request, {
          method: "POST",
          path: "/v2/email/outbound-emails",
          body: JSON.stringify(mail("eve@evil.test")),
        });
        return next(args);
      },
      { step: "build", name: "x" },
    );
    await expect(client.send(command)).rejects.toMatchObject({ code: "UNATTACHED_SEND" });
    expect(recorder.requests).toEqual([]);
  });

  it("a request that changes after the last look", async () => {
    const { recorder, client, gate } = await attached();
    let seen: { body: Uint8Array; path: string } | undefined;
    (client.middlewareStack as unknown as Stack).add(
      (next: (args: object) => unknown) => (args: { request: { body: Uint8Array; path: string } }) => {
        seen = args.request;
        return next(args);
      },
      { step: "deserialize", priority: "low", name: "x" },
    );
    gate.pass = (
      (pass) => async (call) =>
        pass({
          ...call,
          deliver: (commit) =>
            call.deliver(async (previous) => {
              const permit = await commit(previous);
              seen?.body.set(Buffer.from("X".repeat(40)), 0);
              if (seen) seen.path = "/v2/email/other";
              return permit;
            }),
        })
    )(gate.pass);
    await client.send(new v2.SendEmailCommand(mail("ann@customers.test")));
    expect(recorder.requests.map(({ url }) => url)).toEqual(["/v2/email/outbound-emails"]);
    expect(recorder.requests.flatMap(v2Recipients)).toEqual(["ann@customers.test"]);
  });
});

describe("others at the same request handler", () => {
  const shared = async () => {
    const { recorder, client, gate } = await attached();
    const { requestHandler } = client.config;
    return { recorder, gate, requestHandler };
  };

  it("a client of another service is left alone, whatever its request looks like", async () => {
    const { recorder, requestHandler } = await shared();
    const url = new URL(recorder.url);
    const request = {
      protocol: "http:",
      hostname: url.hostname,
      port: Number(url.port),
      method: "PUT",
      path: "/bucket/v2/email/outbound-emails",
      query: {},
      headers: {
        authorization:
          "AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=0",
      },
      body: JSON.stringify(mail("eve@evil.test")),
    };
    await requestHandler.handle(request as never);
    expect(recorder.requests).toHaveLength(1);
  });

  it("mail of another SES client is refused, its other calls pass", async () => {
    const { recorder, requestHandler, gate } = await shared();
    const stranger = new v2.SESv2Client({ ...config(recorder.url), requestHandler });
    await expect(stranger.send(new v2.SendEmailCommand(mail("eve@evil.test")))).rejects.toMatchObject({
      code: "UNATTACHED_SEND",
    });
    await stranger.send(new v2.PutSuppressedDestinationCommand({ EmailAddress: "a@b.test", Reason: "BOUNCE" }));
    await stranger.send(new v2.GetAccountCommand({}));
    expect(recorder.requests.map(({ method }) => method)).toEqual(["PUT", "GET"]);
    expect(gate.calls).toEqual([]);
  });

  it("a second attached client keeps the handler when the first goes", async () => {
    const { recorder, requestHandler } = await shared();
    const second = new v2.SESv2Client({ ...config(recorder.url), requestHandler });
    const gate = scriptedGate();
    const attachment = sesAdapter().attach(second, gate);
    await second.send(new v2.SendEmailCommand(mail("ann@customers.test")));
    attachment.detach();
    await expect(second.send(new v2.SendEmailCommand(mail("eve@evil.test")))).rejects.toMatchObject({
      code: "UNATTACHED_SEND",
    });
    expect(recorder.requests).toHaveLength(1);
  });

  it("unsigned requests are known by their path", async () => {
    const { recorder, requestHandler } = await shared();
    const url = new URL(recorder.url);
    const request = {
      protocol: "http:",
      hostname: url.hostname,
      port: Number(url.port),
      method: "POST",
      path: "//v2/email/outbound%2demails",
      query: {},
      headers: {},
      body: JSON.stringify(mail("eve@evil.test")),
    };
    await expect(requestHandler.handle(request as never)).rejects.toMatchObject({ code: "UNATTACHED_SEND" });
    expect(recorder.requests).toEqual([]);
  });
});

describe("recipients", () => {
  const raw = (text: string, more: object = {}) => ({
    FromEmailAddress: from,
    Content: { Raw: { Data: Buffer.from(text) } },
    ...more,
  });
  it.each<[string, object, string[]]>([
    [
      "folded",
      raw("To: ann@customers.test,\r\n eve@evil.test\r\n\r\nb"),
      ["to ann@customers.test", "to eve@evil.test"],
    ],
    ["with a blank before the colon", raw("To : eve@evil.test\r\n\r\nb"), ["to eve@evil.test"]],
    [
      "with bare line feeds",
      raw("To: ann@customers.test\nBcc: eve@evil.test\n\nb"),
      ["to ann@customers.test", "bcc eve@evil.test"],
    ],
    [
      "beside an envelope",
      raw("To: ann@customers.test\r\nBcc: eve@evil.test\r\n\r\nb", {
        Destination: { ToAddresses: ["ann@customers.test"] },
      }),
      ["to ann@customers.test", "bcc eve@evil.test"],
    ],
    [
      "resent",
      raw("Resent-To: eve@evil.test\r\n\r\nb", { Destination: { ToAddresses: ["ann@customers.test"] } }),
      ["to ann@customers.test", "to eve@evil.test"],
    ],
    ["with an empty envelope", raw("Cc: eve@evil.test\r\n\r\nb", { Destination: {} }), ["cc eve@evil.test"]],
  ])("in headers %s", async (_, input, expected) => {
    const { client, only, gate } = await attached();
    gate.verdict = no("NOT_ALLOWLISTED");
    await expect(client.send(new v2.SendEmailCommand(input as never))).rejects.toMatchObject({
      code: "NOT_ALLOWLISTED",
    });
    expect(everyone(only())).toEqual([expected]);
  });

  it.each<[string, object, string]>([
    [
      "several addresses in one",
      { Destination: { ToAddresses: ["ann@customers.test, eve@evil.test"] } },
      "ADDRESS_AMBIGUOUS",
    ],
    ["a text in place of a list", { Destination: { ToAddresses: "eve@evil.test" } }, "ADDRESS_INVALID"],
    ["a field in other case", { destination: { toAddresses: ["eve@evil.test"] } }, "FIELD_UNKNOWN"],
    [
      "a Bcc header",
      { Content: { Simple: { ...simple, Headers: [{ Name: "Bcc", Value: "eve@evil.test" }] } } },
      "HEADER_REFUSED",
    ],
    [
      "a line break in a header",
      { Content: { Simple: { ...simple, Headers: [{ Name: "X", Value: "1\r\nBcc: eve@evil.test" }] } } },
      "HEADER_REFUSED",
    ],
    [
      "a Bcc header on a template",
      { Content: { Template: { TemplateName: "t", Headers: [{ Name: "bcc", Value: "eve@evil.test" }] } } },
      "HEADER_REFUSED",
    ],
    [
      "a control header in a rendered message",
      { Content: { Raw: { Data: Buffer.from('X-SMTPAPI: {"to":["eve@evil.test"]}\r\n\r\n') } } },
      "HEADER_REFUSED",
    ],
  ])("%s is a reason to refuse", async (_, extra, code) => {
    const { client, only, gate } = await attached();
    gate.verdict = no("NOT_ALLOWLISTED");
    await expect(
      client.send(new v2.SendEmailCommand({ ...mail("ann@customers.test"), ...extra } as never)),
    ).rejects.toMatchObject({ code: "NOT_ALLOWLISTED" });
    expect(codes(only())).toContain(code);
  });

  it("replacement headers of a bulk entry are judged", async () => {
    const { client, only, gate } = await attached();
    gate.verdict = no("NOT_ALLOWLISTED");
    const input = {
      DefaultContent: { Template: { TemplateName: "t" } },
      BulkEmailEntries: [
        { Destination: { ToAddresses: ["a@x.test"] }, ReplacementHeaders: [{ Name: "Cc", Value: "eve@evil.test" }] },
      ],
    };
    await client.send(new v2.SendBulkEmailCommand(input)).catch(() => {});
    expect(codes(only())).toEqual(["HEADER_REFUSED"]);
  });

  it("leave as they were read", async () => {
    const { client, recorder } = await attached();
    await client.send(new v2.SendEmailCommand(mail("Ann <Ann@Bücher.TEST>")));
    expect(recorder.requests.flatMap(v2Recipients)).toEqual(["Ann@xn--bcher-kva.test"]);
  });
});

describe("content", () => {
  it("each bulk entry has its own data over the shared one, merged where the text is known", async () => {
    const { client, only } = await attached();
    await client.send(
      new v2.SendBulkEmailCommand({
        FromEmailAddress: from,
        DefaultContent: {
          Template: {
            TemplateContent: { Subject: "Hi {{name}}", Html: "{{name}} {{city}}" },
            TemplateData: '{"name":"you","city":"Rome"}',
          },
        },
        DefaultEmailTags: [{ Name: "kind", Value: "a" }],
        BulkEmailEntries: [
          {
            Destination: { ToAddresses: ["a@x.test"] },
            ReplacementEmailContent: { ReplacementTemplate: { ReplacementTemplateData: '{"name":"<Ann>"}' } },
            ReplacementTags: [{ Name: "kind", Value: "b" }],
          },
          { Destination: { ToAddresses: ["b@x.test"] } },
        ],
      }),
    );
    const intent = only();
    const messages = "messages" in intent ? intent.messages : [];
    expect(messages.map((message) => [message.content(), message.tags])).toEqual([
      [{ subject: "Hi <Ann>", html: "&#x3C;Ann&#x3E; Rome" }, ["b", "kind=b"]],
      [{ subject: "Hi you", html: "you Rome" }, ["a", "kind=a"]],
    ]);
  });

  it("a template's text is read from SES on request", async () => {
    const { recorder, client, gate } = await attached({ resolveTemplates: true, sdk: v2 });
    recorder.replies.push({
      headers: json,
      body: JSON.stringify({
        TemplateName: "w",
        TemplateContent: { Subject: "Hi {{name}}", Text: "{{#if x}}{{/if}}" },
      }),
    });
    const Content = { Template: { TemplateName: "w", TemplateData: '{"name":"Ann"}' } };
    await client.send(new v2.SendEmailCommand({ ...mail("ann@customers.test"), Content }));
    const sent = gate.intents.find(({ kind }) => kind === "send");
    expect(sent && "messages" in sent && sent.messages[0]?.content()).toEqual({
      subject: "Hi Ann",
      text: "{{#if x}}{{/if}}",
      template: { id: "w", data: { name: "Ann" } },
      unbound: expect.any(String),
    });
  });
});

describe("what is no plain mail", () => {
  it.each<[string, object, string, string[][]]>([
    [
      "a custom verification",
      new v2.SendCustomVerificationEmailCommand({ EmailAddress: "eve@evil.test", TemplateName: "t" }),
      "system",
      [["to eve@evil.test"]],
    ],
    [
      "an address as identity",
      new v2.CreateEmailIdentityCommand({ EmailIdentity: "eve@evil.test" }),
      "system",
      [["to eve@evil.test"]],
    ],
    [
      "a deliverability test",
      new v2.CreateDeliverabilityTestReportCommand({ FromEmailAddress: from, Content: { Simple: simple } }),
      "audience",
      [],
    ],
  ])("%s", async (_, command, kind, to) => {
    const { recorder, client, gate, only } = await attached();
    gate.verdict = no("SYSTEM_MAIL_REFUSED");
    await expect(client.send(command as never)).rejects.toMatchObject({ code: "SYSTEM_MAIL_REFUSED" });
    expect(only().kind).toBe(kind);
    expect(everyone(only())).toEqual(to);
    expect(recorder.requests).toEqual([]);
  });

  it.each<[string, object]>([
    ["a domain as identity", new v2.CreateEmailIdentityCommand({ EmailIdentity: "acme.test" })],
    ["a contact", new v2.CreateContactCommand({ ContactListName: "l", EmailAddress: "a@b.test" })],
    [
      "an import",
      new v2.CreateImportJobCommand({
        ImportDestination: {},
        ImportDataSource: { S3Url: "s3://b/k", DataFormat: "CSV" },
      }),
    ],
  ])("%s mails nobody", async (_, command) => {
    const { recorder, client, only } = await attached();
    await client.send(command as never);
    expect(only().kind).toBe("management");
    expect(recorder.requests).toHaveLength(1);
  });

  it.each<[string, object, string]>([
    ["an address to verify", new v1.VerifyEmailIdentityCommand({ EmailAddress: "eve@evil.test" }), "system"],
    [
      "a bounce",
      new v1.SendBounceCommand({ OriginalMessageId: "m", BounceSender: from, BouncedRecipientInfoList: [] }),
      "system",
    ],
    ["a rule for incoming mail", new v1.CreateReceiptRuleCommand({ RuleSetName: "r", Rule: { Name: "n" } }), "unknown"],
  ])("of v1: %s", async (_, command, kind) => {
    const recorder = await startRecorder(v1Replies.accepted);
    onTestFinished(() => recorder.close());
    const client = new v1.SESClient(config(recorder.url));
    const gate = scriptedGate();
    gate.verdict = no("SYSTEM_MAIL_REFUSED");
    const attachment = sesAdapter().attach(client, gate);
    onTestFinished(() => attachment.detach());
    await expect(client.send(command as never)).rejects.toMatchObject({ code: "SYSTEM_MAIL_REFUSED" });
    expect(gate.intents.map((intent) => intent.kind)).toEqual([kind]);
    expect(recorder.requests).toEqual([]);
  });

  it("an operation that is on no list is refused", async () => {
    const { client, gate, only } = await attached();
    gate.verdict = no("REQUEST_UNKNOWN");
    const command = new v2.SendEmailCommand(mail("eve@evil.test"));
    const resolve = command.resolveMiddleware.bind(command);
    command.resolveMiddleware = (stack, configuration, options) =>
      resolve(
        {
          ...stack,
          concat: (from: never) => {
            const joined = stack.concat(from);
            return {
              ...joined,
              resolve: (handler: never, context: object) =>
                joined.resolve(handler, { ...context, commandName: "SendNewsletterCommand" } as never),
            };
          },
        } as never,
        configuration,
        options,
      );
    await expect(client.send(command)).rejects.toMatchObject({ code: "REQUEST_UNKNOWN" });
    expect(only().kind).toBe("unknown");
  });
});

describe("outcomes", () => {
  it("of bulk entries are told apart by person", async () => {
    const { recorder, client, gate } = await attached();
    const results = [
      { Status: "SUCCESS", MessageId: "m-1" },
      { Status: "MESSAGE_REJECTED", Error: "no" },
    ];
    recorder.replies.push({ headers: json, body: JSON.stringify({ BulkEmailEntryResults: results }) });
    await client.send(
      new v2.SendBulkEmailCommand({
        DefaultContent: { Template: { TemplateName: "t" } },
        BulkEmailEntries: ["A@x.test", "b@x.test"].map((one) => ({ Destination: { ToAddresses: [one] } })),
      }),
    );
    expect(gate.outcomes[0]?.fate).toBe("accepted");
    expect([...(gate.outcomes[0]?.people ?? [])]).toEqual([
      ["a@x.test", { fate: "accepted", messageId: "m-1" }],
      ["b@x.test", { fate: "refused" }],
    ]);
  });

  it("an accepted answer that cannot be read is unknown", async () => {
    const { recorder, client, gate } = await attached();
    recorder.replies.push({ headers: json, body: "not json" });
    await client.send(new v2.SendEmailCommand(mail("a@x.test"))).catch(() => {});
    expect(gate.outcomes).toEqual([expect.objectContaining({ fate: "unknown" })]);
    expect(recorder.requests).toHaveLength(1);
  });

  it("a refused connection may be tried again, an open outcome may not", async () => {
    const { recorder, client, gate } = await attached();
    recorder.replies.push(v2Replies.throttled, "reset");
    await expect(client.send(new v2.SendEmailCommand(mail("a@x.test")))).rejects.toMatchObject({ code: "DUPLICATE" });
    expect(gate.commits).toEqual([undefined, "refused", "unknown"]);
    expect(gate.outcomes).toEqual([{ fate: "unknown" }]);
    expect(recorder.requests).toHaveLength(2);
  });

  it.each([
    ["holds", "hold", 1],
    ["resends", "resend", 2],
  ] as const)("after a reset the SDK's own retry is made where the purpose %s", async (_name, onUnknown, requests) => {
    const recorder = await startRecorder(v2Replies.accepted);
    onTestFinished(() => recorder.close());
    const caps = [{ people: 10, per: "1h" as const }];
    const fuse = liveFuse({ purposes: { notice: { kind: "stream", onUnknown, caps } } });
    const client = fuse.attach(new v2.SESv2Client(config(recorder.url)), sesAdapter());
    recorder.replies.push("reset");
    await fuse.run({ purpose: "notice" }, () => client.send(new v2.SendEmailCommand(mail("a@x.test")))).catch(() => {});
    expect(recorder.requests).toHaveLength(requests);
    // Attempts of one send carry one invocation's id, and it is counted once.
    const ids = recorder.requests.map((one) => one.rawHeaders.find(([name]) => name === "amz-sdk-invocation-id")?.[1]);
    expect(new Set(ids).size).toBe(1);
  });

  it("a refusal is not tried again, even when its cause looks like a network error", async () => {
    const { recorder, client, gate } = await attached();
    let asked = 0;
    const { pass } = gate;
    gate.pass = (call) =>
      pass({
        ...call,
        deliver: (commit) =>
          call.deliver(async (previous) => {
            asked += 1;
            await commit(previous);
            throw Object.assign(new Error("store"), { code: "ECONNREFUSED" });
          }),
      });
    await expect(client.send(new v2.SendEmailCommand(mail("a@x.test")))).rejects.toThrow("store");
    expect(asked).toBe(1);
    expect(recorder.requests).toEqual([]);
  });
});

describe("plans across processes", () => {
  const spooled = async () => {
    const { client, gate } = await attached();
    await client.send(new v2.SendEmailCommand(mail("ann@customers.test")));
    return Uint8Array.from(gate.calls[0]!.spool());
  };

  it("a plain client needs the package", async () => {
    const bytes = await spooled();
    const plain = new v2.SESv2Client(config("http://127.0.0.1:1"));
    const attachment = sesAdapter().attach(plain, scriptedGate());
    onTestFinished(() => attachment.detach());
    expect(() => attachment.revive(bytes)).toThrow(expect.objectContaining({ code: "ATTACH_UNSUPPORTED" }));
  });

  it.each<[string, (endpoint: string) => v2.SESv2Client, object]>([
    ["a plain client with the package", (endpoint) => new v2.SESv2Client(config(endpoint)), { sdk: v2 }],
    ["the aggregated client", (endpoint) => new v2.SESv2(config(endpoint)), {}],
  ])("%s delivers", async (_, make, options) => {
    const bytes = await spooled();
    const recorder = await startRecorder(v2Replies.accepted);
    onTestFinished(() => recorder.close());
    const gate = scriptedGate();
    const attachment = sesAdapter(options).attach(make(recorder.url), gate);
    onTestFinished(() => attachment.detach());
    await gate.pass(attachment.revive(bytes));
    expect(recorder.requests.flatMap(v2Recipients)).toEqual(["ann@customers.test"]);
    expect(gate.calls).toHaveLength(1);
    expect(gate.outcomes).toEqual([{ fate: "accepted", messageId: "m-1" }]);
  });
});

describe("the codec on the wire", () => {
  const wire = (method: string, path: string, body: object, query: [string, string][] = []) => ({
    method,
    path,
    query,
    headers: [],
    body: body as never,
  });
  it("reads v1 by POST and by GET", () => {
    const fields: [string, string][] = [
      ["Action", "SendEmail"],
      ["Destination.ToAddresses.member.2", "b@x.test"],
      ["Destination.ToAddresses.member.1", "a@x.test"],
      ["Destination.BccAddresses.member.10", "c@x.test"],
      ["Message.Subject.Data", "s"],
    ];
    for (const request of [wire("POST", "/", { kind: "form", fields }), wire("GET", "/", { kind: "none" }, fields)]) {
      expect(everyone(sesCodec.classify(request))).toEqual([["to a@x.test", "to b@x.test", "bcc c@x.test"]]);
    }
  });

  it("refuses an action given twice", () => {
    const fields = [
      ["Action", "GetSendQuota"],
      ["Action", "SendEmail"],
    ];
    expect(sesCodec.classify(wire("POST", "/", { kind: "form", fields })).kind).toBe("unknown");
  });

  it("keeps a proxy's path and headers, in a redirected copy too", () => {
    const to = parseAddress("inbox@acme.test", "") as Address;
    const value = { Destination: { ToAddresses: ["A@X.test"] }, Content: { Simple: simple } };
    const request = {
      method: "POST",
      path: "/ses/v2/email/outbound-emails",
      query: [],
      headers: [["x-proxy-key", "k"]],
      body: { kind: "json", value },
    } as const;
    for (const one of [
      sesCodec.rewrite?.(request as never),
      sesCodec.redirect(request as never, to, { subjectPrefix: "[staging]", originals: ["a@x.test"] }),
    ]) {
      expect(one).toMatchObject({ method: "POST", path: request.path, headers: request.headers });
    }
  });

  it("reads v2 under a path of a proxy", () => {
    const value = mail("a@x.test");
    expect(everyone(sesCodec.classify(wire("POST", "/aws/v2/email/outbound-emails", { kind: "json", value })))).toEqual(
      [["to a@x.test"]],
    );
  });
});

describe("attaching", () => {
  it("refuses clients of other services", () => {
    const other = new v2.SESv2Client(config("http://127.0.0.1:1"));
    (other.config as { serviceId: string }).serviceId = "S3";
    expect(() => sesAdapter().attach(other, scriptedGate())).toThrow(
      expect.objectContaining({ code: "ATTACH_UNSUPPORTED" }),
    );
  });

  it("leaves paginators their client", async () => {
    const { recorder, client } = await attached();
    recorder.replies.push({ headers: json, body: '{"ContactLists":[]}' });
    const pages = [];
    for await (const page of v2.paginateListContactLists({ client }, {})) pages.push(page);
    expect(pages).toHaveLength(1);
  });
});
