import { Readable } from "node:stream";
import NodeFormData from "form-data";
import Mailgun from "mailgun.js";
import { describe, expect, it, onTestFinished } from "vitest";
import { mailgunAdapter } from "../../adapters/mailgun";
import type { Intent } from "../../src/adapter";
import { adapterConformance } from "../../src/testing/adapter";
import { scriptedGate } from "../../src/testing/gate";
import { type RecordedRequest, readForm, startRecorder } from "../../src/testing/recorder";

type MailgunClient = ReturnType<Mailgun["client"]>;
type Data = Parameters<MailgunClient["messages"]["create"]>[1];

const from = "Shop <shop@acme.test>";

function clientOf(form: unknown) {
  return (endpoint: string): MailgunClient =>
    new Mailgun(form as never).client({ username: "api", key: "key", url: endpoint });
}

/** Addresses in the fields that Mailgun reads recipients from, and in the headers of a rendered message. */
function recipients(request: RecordedRequest): string[] {
  return readForm(request).flatMap(({ name, value }) => {
    if (/^(?:to|cc|bcc)$/.test(name)) return addresses(value);
    if (name !== "message") return [];
    return value
      .split("\r\n\r\n")[0]!
      .split("\r\n")
      .filter((line) => /^(?:to|cc|bcc):/i.test(line))
      .flatMap((line) => addresses(line));
  });
}

const addresses = (text: string) => text.match(/[^\s<>,:"]+@[^\s<>,:"]+/g) ?? [];

const json = { "content-type": "application/json" };
const replies = {
  accepted: () => ({ headers: json, body: '{"id":"<m-1@acme.test>","message":"Queued. Thank you."}' }),
  refused: { status: 400, headers: json, body: '{"message":"to parameter is missing"}' },
};

type Create = Parameters<MailgunClient["messages"]["create"]>;
const create = (mg: MailgunClient, args: never[]) => mg.messages.create(...(args as unknown as Create));

describe.each<[string, unknown]>([
  ["form-data", NodeFormData],
  ["the built-in FormData", FormData],
])("with %s", (_, form) => {
  adapterConformance<MailgunClient>(
    { describe, it },
    {
      name: "mailgun.js",
      adapter: mailgunAdapter,
      client: clientOf(form),
      recipients,
      replies,
      sends: {
        text: {
          args: (to) => ["acme.test", { from, to: [...to], subject: "Hello", text: "Hi" }],
          call: create,
        },
        "a list in one string": {
          args: (to) => ["acme.test", { from, to: to.join(", "), subject: "Hello", text: "Hi" }],
          call: create,
        },
        "names, options and headers": {
          args: (to) => [
            "acme.test",
            {
              from,
              to: to.map((one) => `"Smith, Ann" <${one}>`),
              subject: "Hello",
              html: "<p>Hi</p>",
              text: "Hi",
              "o:tag": ["receipt", "eu"],
              "o:tracking": false,
              "o:testmode": true,
              "h:Reply-To": "desk@acme.test",
              "h:List-Unsubscribe": "<https://acme.test/u>",
              "v:order": "42",
            },
          ],
          call: create,
        },
        files: {
          args: (to) => [
            "acme.test",
            {
              from,
              to: [...to],
              subject: "Hello",
              text: "Hi",
              attachment: [
                { filename: "a.txt", data: "hello" },
                { filename: "b.bin", data: Buffer.from([1, 2, 3]), contentType: "application/octet-stream" },
              ],
              inline: { filename: "c.png", data: Buffer.from("png") },
            },
          ],
          call: create,
        },
        "a batch": {
          args: (to) => [
            "acme.test",
            {
              from,
              to: [...to],
              subject: "Hello %recipient.name%",
              text: "Hi",
              "recipient-variables": JSON.stringify(Object.fromEntries(to.map((one) => [one, { name: "Ann" }]))),
            },
          ],
          call: create,
        },
        template: {
          args: (to) => [
            "acme.test",
            { from, to: [...to], subject: "Hello", template: "welcome", "t:variables": '{"name":"Ann"}' },
          ],
          call: create,
        },
        MIME: {
          args: (to) => [
            "acme.test",
            {
              to: [...to],
              message: `From: shop@acme.test\r\nTo: ${to.join(", ")}\r\nSubject: Hello\r\nList-Unsubscribe: <x>\r\n\r\nHi`,
            },
          ],
          call: create,
        },
      },
      tampers: {
        makeRequest: (mg) => {
          provider(mg).makeRequest = () => Promise.reject(new Error("mine"));
        },
        "the provider": (mg) => {
          (mg as unknown as Inner).request.requestProvider = Object.create(provider(mg)) as never;
        },
        postWithFD: (mg) => {
          (mg as unknown as Inner).request.postWithFD = () => Promise.resolve({ status: 200, body: {} });
        },
        "the request object of a sub-client": (mg) => {
          (mg.messages as unknown as Inner).request = Object.create((mg as unknown as Inner).request) as never;
        },
      },
      read: (mg) => mg.domains.domainTemplates.get("acme.test", "t").catch(() => undefined),
      manage: (mg) => mg.suppressions.create("acme.test", "unsubscribes", { address: "ann@customers.test" }),
    },
  );
});

interface Inner {
  request: {
    requestProvider: { makeRequest: (...args: unknown[]) => Promise<unknown> };
    request(...args: unknown[]): Promise<unknown>;
    command(...args: unknown[]): Promise<unknown>;
    post(...args: unknown[]): Promise<unknown>;
    get(...args: unknown[]): Promise<unknown>;
    query(...args: unknown[]): Promise<unknown>;
    postWithFD(...args: unknown[]): Promise<unknown>;
    putWithFD(...args: unknown[]): Promise<unknown>;
  };
}

/** The package's types leave it out. */
const resend = (mg: MailgunClient) => {
  const messages = mg.messages as unknown as { resendEmail(...args: string[]): Promise<unknown> };
  return messages.resendEmail.bind(messages);
};

const provider = (mg: MailgunClient) => (mg as unknown as Inner).request.requestProvider;

async function attached(options?: Parameters<typeof mailgunAdapter>[0], form: unknown = NodeFormData) {
  const recorder = await startRecorder(replies.accepted);
  onTestFinished(() => recorder.close());
  const mg = clientOf(form)(recorder.url);
  const gate = scriptedGate();
  const attachment = mailgunAdapter(options).attach(mg, gate);
  onTestFinished(() => attachment.detach());
  const only = () => {
    expect(gate.intents).toHaveLength(1);
    return gate.intents[0] as Intent;
  };
  return { recorder, mg, gate, attachment, only, inner: (mg as unknown as Inner).request };
}

const mail = { from, to: "ann@customers.test", subject: "s", text: "t" };
const evil = { ...mail, to: "eve@evil.test" };
const everyone = (intent: Intent) =>
  "messages" in intent
    ? intent.messages.map((message) => message.recipients.map((one) => `${one.field} ${one.address}`))
    : [];
const codes = (intent: Intent) => ("problems" in intent ? (intent.problems ?? []).map(({ code }) => code) : []);
const no = (code: "REQUEST_UNKNOWN" | "NOT_ALLOWLISTED" | "AUDIENCE_UNDECLARED" | "SYSTEM_MAIL_REFUSED") => ({
  refuse: { code, message: "no" },
});

describe("mail that does not come from messages.create", () => {
  const form = () => {
    const fields = new NodeFormData();
    for (const [name, value] of Object.entries(evil)) fields.append(name, value);
    return fields;
  };
  it.each<[string, (inner: Inner["request"], url: string) => Promise<unknown>]>([
    ["request.post", (inner) => inner.post("/v3/acme.test/messages", evil)],
    [
      "request.command with a form",
      (inner) => inner.command("post", "/v3/acme.test/messages", form(), { isMultipartFormData: true }),
    ],
    ["request.request", (inner) => inner.request("post", "/v3/acme.test/messages", { body: form() })],
    [
      "an absolute URL",
      (inner, url) => inner.command("post", `${url}/v3/acme.test/messages`, form(), { isStorageAPI: true }),
    ],
    [
      "makeRequest",
      (inner, url) => inner.requestProvider.makeRequest(`${url}/v3/acme.test/messages`, "POST", { data: form() }, {}),
    ],
    [
      "makeRequest in lower case",
      (inner, url) => inner.requestProvider.makeRequest(`${url}/v3/acme.test/messages`, "post", { data: form() }, {}),
    ],
    [
      "an encoded path",
      (inner, url) => inner.requestProvider.makeRequest(`${url}/v3/acme.test/mess%61ges`, "POST", { data: form() }, {}),
    ],
    [
      "doubled slashes",
      (inner, url) =>
        inner.requestProvider.makeRequest(`${url}//v3//acme.test//messages/`, "POST", { data: form() }, {}),
    ],
    [
      "upper case",
      (inner, url) => inner.requestProvider.makeRequest(`${url}/V3/acme.test/MESSAGES`, "POST", { data: form() }, {}),
    ],
    [
      "postWithFD of the class",
      (inner) =>
        (Object.getPrototypeOf(inner) as Inner["request"]).postWithFD.call(inner, "/v3/acme.test/messages", evil),
    ],
    [
      "makeRequest of the class is out of reach, the URL in postWithFD is not",
      (inner) =>
        inner.postWithFD("/v3/x/../acme.test/messages.mime", { ...evil, message: "To: eve@evil.test\r\n\r\nx" }),
    ],
  ])("%s is judged, and a body that cannot be read is a reason to refuse", async (_, go) => {
    const { recorder, gate, inner, only } = await attached();
    gate.verdict = no("NOT_ALLOWLISTED");
    await expect(go(inner, recorder.url)).rejects.toMatchObject({ code: "NOT_ALLOWLISTED" });
    const intent = only();
    expect(intent.kind).toBe("send");
    expect(everyone(intent).flat().includes("to eve@evil.test") || codes(intent).includes("REQUEST_UNKNOWN")).toBe(
      true,
    );
    expect(recorder.requests).toEqual([]);
  });

  it.each(["other.test", "acme.test"])("a form to %s cannot ride on another one's ticket", async (domain) => {
    const { recorder, mg, gate, inner } = await attached();
    const { formDataBuilder } = inner as unknown as {
      formDataBuilder: { createFormData(data: object): Promise<unknown> };
    };
    const build = formDataBuilder.createFormData.bind(formDataBuilder);
    let smuggled: Promise<unknown> | undefined;
    formDataBuilder.createFormData = async (data) => {
      const built = await build(data);
      gate.verdict = no("NOT_ALLOWLISTED");
      smuggled ??= inner.requestProvider.makeRequest(
        `${recorder.url}/v3/${domain}/messages`,
        "POST",
        { data: form() },
        {},
      );
      await expect(smuggled).rejects.toMatchObject({ code: "NOT_ALLOWLISTED" });
      return built;
    };
    await mg.messages.create("acme.test", mail);
    expect(recorder.requests.map(({ url }) => url)).toEqual(["/v3/acme.test/messages"]);
    expect(String(recorder.requests[0]?.body)).toContain(mail.to);
  });

  it("nor can one made by hand while a judged mail is on its way", async () => {
    const { recorder, mg, gate, inner } = await attached();
    const url = `${recorder.url}/v3/acme.test/messages`;
    const under = Array.from({ length: 5 }, () => mg.messages.create("acme.test", mail));
    gate.verdict = no("NOT_ALLOWLISTED");
    const smuggled = Array.from({ length: 5 }, () =>
      inner.requestProvider.makeRequest(url, "POST", { data: form() }, {}).then(
        () => "sent",
        (error: { code?: unknown }) => error.code,
      ),
    );
    const outcomes = await Promise.all(smuggled);
    await Promise.allSettled(under);
    expect(new Set(outcomes)).toEqual(new Set(["NOT_ALLOWLISTED"]));
    for (const { body } of recorder.requests) expect(String(body)).not.toContain("eve@evil.test");
  });
});

describe("the domain is not trusted", () => {
  it.each<[string, string, RegExp]>([
    ["a query", "acme.test/messages?to=eve@evil.test&", /FIELD_UNKNOWN/],
    ["a query that hides the rest", "acme.test/messages?bcc=eve@evil.test&x=", /FIELD_UNKNOWN/],
    ["a fragment", "acme.test/messages#", /^$/],
    ["dot segments", "../v3/other.test", /^$/],
  ])("%s", async (_, domain, expected) => {
    const { gate, mg, only } = await attached();
    await mg.messages.create(domain, mail).catch(() => {});
    expect(only().kind).toBe("send");
    expect(codes(only()).join(" ")).toMatch(expected);
    expect(everyone(only())).toEqual([["to ann@customers.test"]]);
    expect(gate.outcomes.length).toBeLessThanOrEqual(1);
  });

  it("one that leads to another endpoint is judged there", async () => {
    const { recorder, gate, mg, only } = await attached();
    gate.verdict = no("REQUEST_UNKNOWN");
    await expect(mg.messages.create("routes?", evil)).rejects.toMatchObject({ code: "REQUEST_UNKNOWN" });
    expect(only().kind).toBe("unknown");
    expect(recorder.requests).toEqual([]);
  });
});

describe("recipients", () => {
  it("of to, cc and bcc, in lists and arrays, leave as they were read", async () => {
    const { recorder, mg, only } = await attached();
    const data = {
      ...mail,
      to: "Ann <Ann@Bücher.TEST>, bob@x.test",
      cc: ["c@x.test", "D <d@x.test>"],
      bcc: "e@x.test,f@x.test",
    };
    await mg.messages.create("acme.test", data);
    const judged = ["Ann@xn--bcher-kva.test", "bob@x.test", "c@x.test", "d@x.test", "e@x.test", "f@x.test"];
    expect(everyone(only())[0]?.map((one) => one.split(" ")[1])).toEqual(judged);
    expect(recorder.requests.flatMap(recipients)).toEqual(judged);
  });

  it("of a batch are a mail each, with their own text and every copy", async () => {
    const { mg, only } = await attached();
    await mg.messages.create("acme.test", {
      from,
      to: ["a@x.test", "B <B@x.test>"],
      bcc: "archive@acme.test",
      subject: "Hi %recipient.name%",
      text: "%recipient.name% %recipient.none%",
      "recipient-variables": JSON.stringify({ "a@x.test": { name: "%recipient.none%" }, "b@x.test": { name: "Bob" } }),
    });
    const intent = only();
    expect(everyone(intent)).toEqual([
      ["to a@x.test", "bcc archive@acme.test"],
      ["to B@x.test", "bcc archive@acme.test"],
    ]);
    expect("messages" in intent && intent.messages.map((message) => message.content())).toEqual([
      { subject: "Hi %recipient.none%", text: "%recipient.none% %recipient.none%" },
      { subject: "Hi Bob", text: "Bob %recipient.none%" },
    ]);
  });

  it("in the headers of a rendered message count beside the envelope", async () => {
    const { mg, only } = await attached();
    const message =
      "To: ann@customers.test,\r\n eve@evil.test\r\nBcc: =?utf-8?q?x?= <hid@evil.test>\r\nSubject: =?utf-8?q?Hi=21?=\r\n\r\nbody";
    await mg.messages.create("acme.test", { to: "ann@customers.test", message });
    expect(everyone(only())).toEqual([["to ann@customers.test", "to eve@evil.test", "bcc hid@evil.test"]]);
    const intent = only();
    expect("messages" in intent && intent.messages[0]?.content()).toEqual({ subject: "Hi!", text: "body" });
  });

  it.each<[string, object, string]>([
    ["a header field of recipients", { "h:Bcc": "eve@evil.test" }, "HEADER_REFUSED"],
    ["one with a blank", { "h: bcc": "eve@evil.test" }, "HEADER_REFUSED"],
    ["one with a line break", { "h:X\r\nBcc": "eve@evil.test" }, "HEADER_REFUSED"],
    ["a line break in a header", { "h:X-A": "1\r\nBcc: eve@evil.test" }, "HEADER_REFUSED"],
    ["a field in upper case", { TO: "eve@evil.test" }, "FIELD_UNKNOWN"],
    ["a field with an index", { "to[1]": "eve@evil.test" }, "FIELD_UNKNOWN"],
    ["a field with a blank", { "bcc ": "eve@evil.test" }, "FIELD_UNKNOWN"],
    [
      "a field that breaks out of the form",
      { 'x"\r\n\r\nevil\r\n--b\r\nContent-Disposition: form-data; name="bcc': "e@x" },
      "FIELD_UNKNOWN",
    ],
    ["a field nobody has judged", { "o:archive-to": "https://evil.test" }, "FIELD_UNKNOWN"],
    ["a stream as recipients", { bcc: Buffer.from("eve@evil.test") }, "ADDRESS_INVALID"],
    ["recipients within recipients", { cc: [["eve@evil.test"]] }, "ADDRESS_INVALID"],
    ["a subject twice", { subject: ["a", "b"] }, "FIELD_UNKNOWN"],
    ["variables that are no JSON", { "recipient-variables": "x" }, "FIELD_UNKNOWN"],
  ])("%s is a reason to refuse", async (_, extra, code) => {
    const { mg, only } = await attached();
    await mg.messages.create("acme.test", { ...mail, ...extra } as Data).catch(() => {});
    expect(codes(only())).toContain(code);
  });

  it("a control header in a rendered message is a reason to refuse", async () => {
    const { mg, only } = await attached();
    const message = 'X-SMTPAPI: {"to":["eve@evil.test"]}\r\n\r\nx';
    await mg.messages.create("acme.test", { to: "ann@customers.test", message });
    expect(codes(only())).toEqual(["HEADER_REFUSED"]);
  });

  it("a key that becomes a prototype is refused", async () => {
    const { inner, recorder } = await attached();
    const data = JSON.parse(
      '{"to":"ann@customers.test","from":"a@b.test","text":"t","__proto__":{"bcc":"eve@evil.test"}}',
    ) as object;
    await expect(inner.postWithFD("/v3/acme.test/messages", data)).rejects.toMatchObject({ code: "COPY_UNSUPPORTED" });
    expect(recorder.requests).toEqual([]);
  });
});

describe("files", () => {
  const bytes = Buffer.from("content of a file");
  it.each<[string, () => unknown]>([
    ["a stream", () => Readable.from([bytes])],
    ["a stream under a name", () => ({ data: Readable.from([bytes]), filename: "f.txt", knownLength: bytes.length })],
    ["a Blob", () => new Blob([bytes], { type: "text/plain" })],
    ["a File", () => new File([bytes], "f.txt", { type: "text/plain" })],
    ["text", () => "content of a file"],
  ])("%s leaves as the client would send it, and is spooled", async (_, file) => {
    const form = /Blob|File/.test(_) ? FormData : NodeFormData;
    const bare = await startRecorder(replies.accepted);
    onTestFinished(() => bare.close());
    await clientOf(form)(bare.url).messages.create("acme.test", { ...mail, attachment: file() } as Data);
    const { recorder, mg, gate, attachment } = await attached(undefined, form);
    await mg.messages.create("acme.test", { ...mail, attachment: file() } as Data);
    await gate.pass(attachment.revive(Uint8Array.from(gate.calls[0]!.spool())));
    const fields = recorder.requests.map(readForm);
    expect(fields[0]).toEqual(readForm(bare.requests[0]!));
    expect(fields[1]).toEqual(fields[0]);
    expect(fields[0]?.find(({ name }) => name === "attachment")?.value).toBe("content of a file");
  });

  it("a stream that fails refuses the mail", async () => {
    const { mg, recorder } = await attached();
    const stream = new Readable({ read() {} });
    const sending = mg.messages.create("acme.test", { ...mail, attachment: stream } as unknown as Data);
    stream.destroy(new Error("gone"));
    await expect(sending).rejects.toMatchObject({ code: "STREAM_FAILED" });
    expect(recorder.requests).toEqual([]);
  });

  it("tell digests apart", async () => {
    const { mg, gate } = await attached();
    for (const data of ["a", "a", "b"]) {
      await mg.messages.create("acme.test", { ...mail, attachment: { data: Buffer.from(data), filename: "f" } });
    }
    const digests = gate.intents.flatMap((intent) =>
      intent.kind === "send" ? intent.messages.map((m) => m.digest()) : [],
    );
    expect(digests[0]).toBe(digests[1]);
    expect(digests[2]).not.toBe(digests[1]);
  });
});

describe("what is no plain mail", () => {
  it.each<[string, (mg: MailgunClient, inner: Inner["request"]) => Promise<unknown>]>([
    ["a stored message to other people", (mg) => resend(mg)("acme.test", "key", "eve@evil.test")],
    [
      "a member for a list",
      (mg) => mg.lists.members.createMember("team@acme.test", { address: "eve@evil.test", subscribed: true } as never),
    ],
    ["a new list", (mg) => mg.lists.create({ address: "team@acme.test" } as never)],
    ["a standing forward", (mg) => mg.routes.create({ action: ['forward("eve@evil.test")'] } as never)],
    ["a changed forward", (mg) => mg.routes.update("id", { action: ['forward("eve@evil.test")'] } as never)],
    ["a GET to messages", (_, inner) => inner.get("/v3/acme.test/messages", { to: "eve@evil.test" })],
    ["an unknown path", (_, inner) => inner.post("/v9/new", {})],
    [
      "an unknown host's path",
      (_, inner) => inner.command("post", "https://storage.test/messages", undefined, { isStorageAPI: true }),
    ],
  ])("%s is refused", async (_, go) => {
    const { recorder, gate, mg, inner, only } = await attached();
    gate.verdict = no("REQUEST_UNKNOWN");
    await expect(go(mg, inner)).rejects.toMatchObject({ code: "REQUEST_UNKNOWN" });
    expect(only().kind).toBe("unknown");
    expect(recorder.requests).toEqual([]);
  });

  it("an inbox placement test mails an audience", async () => {
    const { gate, mg, only } = await attached();
    gate.verdict = no("AUDIENCE_UNDECLARED");
    await expect(
      mg.inboxPlacements.runTest({ from: "a@b.test", subject: "s", html: "h" } as never),
    ).rejects.toMatchObject({
      code: "AUDIENCE_UNDECLARED",
    });
    expect(only()).toMatchObject({ kind: "audience", audiences: ["seedlist"] });
  });

  it("a sandbox recipient is asked by Mailgun itself", async () => {
    const { gate, mg, only } = await attached();
    gate.verdict = no("SYSTEM_MAIL_REFUSED");
    await expect(mg.accountManagement.addSandboxAuthorizedRecipient("eve@evil.test")).rejects.toMatchObject({
      code: "SYSTEM_MAIL_REFUSED",
    });
    expect(everyone(only())).toEqual([["to eve@evil.test"]]);
  });

  it("passes where its option says so", async () => {
    const { mg, gate } = await attached({ storedMessages: "judge", listWrites: "pass" });
    await mg.lists.members.createMember("team@acme.test", { address: "a@b.test" } as never).catch(() => {});
    await resend(mg)("acme.test", "key", "a@b.test, c@d.test");
    expect(gate.intents.map(({ kind }) => kind)).toEqual(["management", "send"]);
    expect(everyone(gate.intents[1] as Intent)).toEqual([["to a@b.test", "to c@d.test"]]);
  });

  it("removing a member passes", async () => {
    const { mg, only } = await attached();
    await mg.lists.members.destroyMember("team@acme.test", "ann@customers.test");
    expect(only().kind).toBe("management");
  });
});

describe("content", () => {
  it("a template's text is read from Mailgun on request", async () => {
    const { recorder, mg, gate } = await attached({ resolveTemplates: true });
    const version = { template: "<b>{{name}}</b>", headers: { Subject: "Hello {{name}}" } };
    recorder.replies.push({ headers: json, body: JSON.stringify({ template: { version } }) });
    await mg.messages.create("acme.test", {
      from,
      to: "a@x.test",
      template: "welcome",
      "t:variables": '{"name":"Ann"}',
    });
    const sent = gate.intents.find(({ kind }) => kind === "send");
    expect(sent && "messages" in sent && sent.messages[0]?.content()).toEqual({
      subject: "Hello Ann",
      html: "<b>Ann</b>",
      template: { id: "welcome", data: { name: "Ann" } },
    });
  });
});

describe("attaching", () => {
  it("refuses a client whose functions were replaced before", () => {
    const mg = clientOf(NodeFormData)("http://127.0.0.1:1");
    provider(mg).makeRequest = () => Promise.reject(new Error("mine"));
    expect(() => mailgunAdapter().attach(mg, scriptedGate())).toThrow(
      expect.objectContaining({ code: "ATTACH_UNSUPPORTED" }),
    );
  });

  it("leaves other clients of the class alone", async () => {
    const { recorder } = await attached();
    await clientOf(NodeFormData)(recorder.url).messages.create("acme.test", evil);
    expect(recorder.requests).toHaveLength(1);
  });

  it("names the account by its host", async () => {
    const { attachment, recorder } = await attached();
    expect(attachment.account).toBe(new URL(recorder.url).host);
  });
});

describe("outcomes", () => {
  it.each<[string, { status?: number; body?: string }, string]>([
    ["an id", { body: '{"id":"<m-7@acme.test>"}' }, "accepted"],
    ["2xx without an id", { body: '{"message":"ok"}' }, "unknown"],
    ["400", { status: 400, body: '{"message":"bad"}' }, "refused"],
    ["401", { status: 401, body: "Forbidden" }, "refused"],
    ["429", { status: 429, body: "{}" }, "refused"],
    ["500", { status: 500, body: "{}" }, "unknown"],
  ])("%s", async (_, reply, fate) => {
    const { recorder, mg, gate } = await attached();
    recorder.replies.push({ headers: json, ...reply });
    await mg.messages.create("acme.test", mail).catch(() => {});
    expect(gate.outcomes).toEqual([expect.objectContaining({ fate })]);
    if (fate === "accepted") expect(gate.outcomes[0]?.messageId).toBe("<m-7@acme.test>");
  });
});
