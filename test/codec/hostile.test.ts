import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mailgunCodec } from "../../adapters/mailgun";
import { sendgridCodec } from "../../adapters/sendgrid";
import { sesCodec } from "../../adapters/ses";
import { type Address, type Codec, type Plain, parseAddress, type WireBody, type WireRequest } from "../../src/adapter";

const inbox = parseAddress("inbox@staging.test", "to") as Address;
const note = { subjectPrefix: "[staging]", originals: ["ann@customers.test"] };

// Names and values that codecs look at, in places where they do not expect them.
const texts = fc.oneof(
  fc.constantFrom(
    "a@x.test",
    "A <b@x.test>, c@x.test",
    "",
    "x",
    "To: e@x.test\r\nBcc: f@x.test\r\n\r\nb",
    '{"a@x.test":{"n":1}}',
    "d-1",
    "__proto__",
    "true",
    "0",
  ),
  fc.string(),
);
const names = fc.constantFrom(
  ..."personalizations to cc bcc email name headers subject content type value substitutions sections mail_settings template_id".split(
    " ",
  ),
  ..."dynamic_template_data categories attachments from Destination ToAddresses BccAddresses Content Simple Raw Template Data Headers Name Value".split(
    " ",
  ),
  ..."BulkEmailEntries ReplacementEmailContent ReplacementTemplate ReplacementTemplateData TemplateData TemplateContent Destinations Message".split(
    " ",
  ),
  ..."RawMessage Body Text Html Attachments RawContent EmailTags Source FromEmailAddress asm tracking_settings toString constructor".split(
    " ",
  ),
);
const json = fc.letrec<{ value: Plain }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    texts,
    fc.constantFrom<Plain>(null, true, 0, 1.5),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(names, tie("value"), { maxKeys: 6 }),
  ),
})).value;
const fields = fc.array(
  fc.tuple(
    fc.oneof(
      fc.constantFrom(
        "to",
        "cc",
        "bcc",
        "from",
        "subject",
        "text",
        "html",
        "message",
        "template",
        "t:variables",
        "recipient-variables",
        "h:Bcc",
        "v:x",
        "o:tag",
        "attachment",
      ),
      fc.constantFrom(
        "Action",
        "Destination.ToAddresses.member.1",
        "Destinations.member.2",
        "Destinations.member.1.Destination.CcAddresses.member.7",
        "RawMessage.Data",
        "Message.Subject.Data",
        "Message",
        "a.member.x.__proto__",
        "..",
        "",
      ),
      fc.string(),
    ),
    fc.oneof(texts, json, fc.constantFrom("SendEmail", "SendRawEmail", "SendBulkTemplatedEmail")),
  ),
  { maxLength: 12 },
);
const bodies: fc.Arbitrary<WireBody> = fc.oneof(
  json.map((value): WireBody => ({ kind: "json", value })),
  fields.map((pairs): WireBody => ({ kind: "form", fields: pairs })),
  fc.constant<WireBody>({ kind: "none" }),
  fc.uint8Array().map((bytes): WireBody => ({ kind: "bytes", bytes })),
);

const paths: Readonly<Record<string, readonly string[]>> = {
  sendgrid: ["/v3/mail/send", "/v3/marketing/singlesends", "/v3/teammates", "/v3/templates/x", "/other"],
  mailgun: [
    "/v3/acme.test/messages",
    "/v3/acme.test/messages.mime",
    "/v3/domains/acme.test/messages/key",
    "/v4/inbox/tests",
    "/x",
  ],
  ses: ["/", "/v2/email/outbound-emails", "/v2/email/outbound-bulk-emails", "/v2/email/identities", "/x"],
};

describe.each<[string, Codec]>([
  ["sendgrid", sendgridCodec],
  ["mailgun", mailgunCodec],
  ["ses", sesCodec],
])("the codec of %s", (name, codec) => {
  const requests: fc.Arbitrary<WireRequest> = fc.record({
    method: fc.constantFrom("POST", "POST", "GET", "PUT", "DELETE", ""),
    path: fc.oneof(
      fc.constantFrom(...(paths[name] ?? [])),
      fc.string().map((text) => `/${text}`),
    ),
    query: fc.array(fc.tuple(fc.constantFrom("to", "Action", "email"), texts), { maxLength: 2 }),
    headers: fc.constant([]),
    body: bodies,
  });

  it("throws on no request, and reads every message of it", () => {
    fc.assert(
      fc.property(requests, (request) => {
        const written = codec.rewrite?.(request) ?? request;
        const intent = codec.classify(written);
        if ("messages" in intent) {
          for (const message of intent.messages)
            expect([typeof message.content(), typeof message.digest()]).toEqual(["object", "string"]);
        }
        codec.simulate(written);
        codec.outcome(written, {
          status: 200,
          headers: {},
          body: request.body.kind === "json" ? request.body.value : "",
        });
        expect(JSON.stringify("problems" in intent ? intent.problems : [])).not.toMatch(/x\.test/);
      }),
      { numRuns: 400 },
    );
  });

  it("writing addresses anew changes nobody who is reached", () => {
    fc.assert(
      fc.property(requests, (request) => {
        const people = (one: WireRequest) => {
          const intent = codec.classify(one);
          return "messages" in intent
            ? intent.messages.map((message) => message.recipients.map(({ field, person }) => [field, person]))
            : [];
        };
        expect(people(codec.rewrite?.(request) ?? request)).toEqual(people(request));
      }),
      { numRuns: 400 },
    );
  });

  it("a redirected copy reaches the inbox alone, or there is none", () => {
    fc.assert(
      fc.property(requests, (request) => {
        let copy: WireRequest;
        try {
          copy = codec.redirect(request, inbox, note);
        } catch (error) {
          expect(error).toMatchObject({ code: "NOT_ALLOWLISTED" });
          return;
        }
        const intent = codec.classify(copy);
        const reached =
          "messages" in intent
            ? intent.messages.flatMap((message) => message.recipients.map(({ address }) => address))
            : [];
        expect(reached.filter((address) => address !== inbox.address)).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });
});
