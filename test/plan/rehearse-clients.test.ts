/**
 * Each first-rank client plans, has it confirmed, releases; what its server received is compared
 * with what was approved, and with what the same job sends through a client without a fuse.
 */
import * as v2 from "@aws-sdk/client-sesv2";
import { Client } from "@sendgrid/client";
import { MailService } from "@sendgrid/mail";
import FormData from "form-data";
import Mailgun from "mailgun.js";
import { simpleParser } from "mailparser";
import nodemailer from "nodemailer";
import { ServerClient } from "postmark";
import { Resend } from "resend";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { mailgunAdapter } from "../../adapters/mailgun";
import { nodemailerAdapter } from "../../adapters/nodemailer";
import { postmarkAdapter } from "../../adapters/postmark";
import { resendAdapter } from "../../adapters/resend";
import { sendgridAdapter } from "../../adapters/sendgrid";
import { sesAdapter } from "../../adapters/ses";
import type { Adapter } from "../../src/adapter";
import {
  createFuse,
  type Fuse,
  memoryStore,
  type Plan,
  type PlanJob,
  type PlanRequest,
  signToken,
} from "../../src/index";
import { type MailServer, startMailServer } from "../adapters/nodemailer-world";
import { type Arrived, type Endpoint, startEndpoint } from "../support/endpoint";
import { keys } from "./release-set-up";

const json = (text: string) => JSON.parse(text) as Record<string, unknown>;
let endpoint: Endpoint;
let server: MailServer;
beforeAll(async () => {
  server = await startMailServer();
  endpoint = await startEndpoint(({ method, url, body }) => {
    if (method !== "POST") return { status: 404, body: {} };
    if (url.includes("/v3/mail/send")) return { status: 202, headers: { "x-message-id": "m" } };
    if (url.includes("/messages")) return { body: { id: "<m@acme.test>", message: "Queued. Thank you." } };
    if (url.includes("/email/batch"))
      return {
        body: [json(body).Messages ?? JSON.parse(body)].flat().map(() => ({
          ErrorCode: 0,
          Message: "OK",
          MessageID: "m",
          SubmittedAt: "2026-01-01T00:00:00Z",
          To: "x",
        })),
      };
    if (url.includes("/emails/batch"))
      return { body: { data: (JSON.parse(body) as unknown[]).map(() => ({ id: "m" })) } };
    if (url.includes("outbound-bulk-emails"))
      return {
        body: {
          BulkEmailEntryResults: (json(body).BulkEmailEntries as unknown[]).map(() => ({
            Status: "SUCCESS",
            MessageId: "m",
          })),
        },
      };
    return { body: { id: "m", MessageId: "m", ErrorCode: 0 } };
  });
});
beforeEach(() => {
  endpoint.arrived.length = 0;
  server.mails.length = 0;
});
afterAll(async () => {
  await endpoint.close();
  await server.close();
});

const people = Array.from({ length: 7 }, (_, index) => ({
  email: `p${index}@acme.test`,
  name: `Name ${index}`,
  order: `o-${index}`,
}));
type Person = (typeof people)[number];
const from = "offers@sender.test";
const text = ({ name, order }: Person) => `Dear ${name}, your order ${order} is refunded.`;
const halves = [people.slice(0, 4), people.slice(4)];

/** A client, its adapter, and a job that mails everybody once. */
interface Case<ClientType extends object = object> {
  readonly name: string;
  readonly calls: number;
  readonly client: () => ClientType;
  readonly adapter: () => Adapter<ClientType>;
  readonly job: (client: ClientType) => PlanJob;
  /** Text that lives at the provider. */
  readonly unbound?: true;
}

const sendgrid = () => {
  const api = new Client();
  api.setApiKey("SG.test");
  api.setDefaultRequest("baseUrl", endpoint.url);
  const mail = new MailService();
  mail.setClient(api);
  return mail;
};
const mailgun = () => new Mailgun(FormData as never).client({ username: "api", key: "key", url: endpoint.url });
const postmark = () => new ServerClient("server-token", { useHttps: false, requestHost: endpoint.host });
const resend = () => new Resend("re_secret", { baseUrl: endpoint.url });
const ses = () =>
  new v2.SESv2Client({
    region: "eu-west-1",
    endpoint: endpoint.url,
    credentials: { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "secret" },
  });

function define<ClientType extends object>(one: Case<ClientType>): Case {
  return one as unknown as Case;
}

const cases: readonly Case[] = [
  define({
    name: "@sendgrid/mail, one by one",
    calls: 7,
    client: sendgrid,
    adapter: () => sendgridAdapter() as Adapter<MailService>,
    job: (mail) => async () => {
      for (const one of people) await mail.send({ to: one.email, from, subject: "Refund", text: text(one) });
    },
  }),
  define({
    name: "@sendgrid/mail, personalizations with substitutions",
    calls: 2,
    client: sendgrid,
    adapter: () => sendgridAdapter() as Adapter<MailService>,
    job: (mail) => async () => {
      for (const half of halves)
        await mail.send({
          from,
          subject: "Refund",
          text: "Dear {{name}}, your order {{order}} is refunded.",
          personalizations: half.map(({ email, name, order }) => ({
            to: email,
            substitutions: { name, order },
          })),
        } as never);
    },
  }),
  define({
    name: "@sendgrid/mail, a template",
    calls: 2,
    unbound: true,
    client: sendgrid,
    adapter: () => sendgridAdapter() as Adapter<MailService>,
    job: (mail) => async () => {
      for (const half of halves)
        await mail.send({
          from,
          templateId: "d-0123456789abcdef0123456789abcdef",
          personalizations: half.map(({ email, name }) => ({ to: email, dynamicTemplateData: { name } })),
        } as never);
    },
  }),
  define({
    name: "mailgun.js, recipient variables",
    calls: 2,
    client: mailgun,
    adapter: () => mailgunAdapter() as Adapter<ReturnType<typeof mailgun>>,
    job: (mg) => async () => {
      for (const half of halves)
        await mg.messages.create("acme.test", {
          from,
          to: half.map(({ email }) => email),
          subject: "Refund",
          text: "Dear %recipient.name%, your order %recipient.order% is refunded.",
          "recipient-variables": JSON.stringify(
            Object.fromEntries(half.map(({ email, name, order }) => [email, { name, order }])),
          ),
        });
    },
  }),
  define({
    name: "postmark, a batch",
    calls: 2,
    client: postmark,
    adapter: () => postmarkAdapter() as Adapter<ServerClient>,
    job: (client) => async () => {
      for (const half of halves)
        await client.sendEmailBatch(
          half.map((one) => ({ From: from, To: one.email, Subject: "Refund", TextBody: text(one) })),
        );
    },
  }),
  define({
    name: "postmark, a batch of a template",
    calls: 2,
    unbound: true,
    client: postmark,
    adapter: () => postmarkAdapter() as Adapter<ServerClient>,
    job: (client) => async () => {
      for (const half of halves)
        await client.sendEmailBatchWithTemplates(
          half.map(({ email, name }) => ({ From: from, To: email, TemplateId: 7, TemplateModel: { name } })),
        );
    },
  }),
  define({
    name: "resend, a batch",
    calls: 2,
    client: resend,
    adapter: () => resendAdapter() as Adapter<Resend>,
    job: (client) => async () => {
      for (const half of halves)
        await client.batch.send(half.map((one) => ({ from, to: one.email, subject: "Refund", text: text(one) })));
    },
  }),
  define({
    name: "SES, bulk",
    calls: 2,
    unbound: true,
    client: ses,
    adapter: () => sesAdapter() as Adapter<v2.SESv2Client>,
    job: (client) => async () => {
      for (const half of halves)
        await client.send(
          new v2.SendBulkEmailCommand({
            FromEmailAddress: from,
            DefaultContent: { Template: { TemplateName: "refund", TemplateData: "{}" } },
            BulkEmailEntries: half.map(({ email, name }) => ({
              Destination: { ToAddresses: [email] },
              ReplacementEmailContent: { ReplacementTemplate: { ReplacementTemplateData: JSON.stringify({ name }) } },
            })),
          }),
        );
    },
  }),
  define({
    name: "SES, one by one",
    calls: 7,
    client: ses,
    adapter: () => sesAdapter() as Adapter<v2.SESv2Client>,
    job: (client) => async () => {
      for (const one of people)
        await client.send(
          new v2.SendEmailCommand({
            FromEmailAddress: from,
            Destination: { ToAddresses: [one.email] },
            Content: { Simple: { Subject: { Data: "Refund" }, Body: { Text: { Data: text(one) } } } },
          }),
        );
    },
  }),
];

function fuseWith(): Fuse {
  const fuse = createFuse({
    environment: "production",
    environments: { production: { mode: "live" } },
    env: {},
    purposes: { refund: { kind: "bulk", caps: [{ people: 100, per: "24h" }] } },
    defaults: { caps: [{ people: 5, per: "1h" }] },
    approvers: Object.fromEntries(Object.entries(keys).map(([name, pair]) => [name, { publicKey: pair.publicKey }])),
    secret: "a secret of some length",
    store: memoryStore(),
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  });
  onTestFinished(() => fuse.close());
  return fuse;
}

const request: PlanRequest = { purpose: "refund", expectedPeople: 7, requestedBy: "dana" };

async function release(fuse: Fuse, plan: Plan): Promise<void> {
  const { view } = await fuse.view(plan.id, { by: "erin" });
  const { privateKey } = keys.erin;
  const token = await signToken({ plan: plan.id, digest: plan.digest, view, by: "erin", privateKey, now: Date.now() });
  expect(await fuse.release(plan.id, { tokens: [token] })).toMatchObject({ state: "done", refused: 0, unknown: 0 });
}

/** The requests that mail somebody, as their bodies; forms have a boundary drawn for each. */
const bodies = (arrived: readonly Arrived[]) =>
  arrived
    .filter(({ method }) => method === "POST")
    .map(({ url, body }) => `${url} ${body.replace(/-{20,}[\da-f]+/g, "--boundary")}`)
    .sort();

describe.each(cases)("$name", (one) => {
  it("delivers what was approved, and what it sends without a fuse, only after the confirmation", async () => {
    const bare = one.client();
    await one.job(bare)({ rehearsal: true });
    const without = bodies(endpoint.arrived.splice(0));
    expect(without).toHaveLength(one.calls);

    const fuse = fuseWith();
    const client = fuse.attach(one.client(), one.adapter());
    if (one.unbound) {
      const refused = await fuse.plan(request, one.job(client));
      expect(Object.keys(refused.refusalCounts)).toEqual(["TEXT_NOT_BOUND"]);
    }
    const plan = await fuse.plan({ ...request, ...(one.unbound ? { allowUnboundText: true } : {}) }, one.job(client));
    expect([plan.state, plan.refusals]).toEqual(["planned", []]);
    expect(plan.terms).toMatchObject({ people: 7, entries: one.calls });
    expect(plan.summary).toMatchObject({ people: 7, messages: 7, variants: one.unbound ? {} : { count: 1 } });
    expect(plan.summary?.unbound.length).toBe(one.unbound ? 1 : 0);
    expect(bodies(endpoint.arrived.splice(0))).toEqual([]);

    const approved = (await fuse.mails(plan.id)).flatMap(({ mails }) => mails ?? []);
    expect(approved.flatMap(({ recipients }) => recipients.map(({ address }) => address)).sort()).toEqual(
      people.map(({ email }) => email),
    );
    if (!one.unbound) expect(approved.map((mail) => mail.text).sort()).toEqual(people.map(text));
    await release(fuse, plan);
    expect(bodies(endpoint.arrived)).toEqual(without);
  });
});

describe("nodemailer", () => {
  it.each(["one connection each", "a pool"])(
    "%s: delivers the bytes that were approved, only after the confirmation",
    async (kind) => {
      const fuse = fuseWith();
      const transporter = nodemailer.createTransport({
        host: "127.0.0.1",
        port: server.port,
        pool: kind === "a pool",
      } as never);
      onTestFinished(() => transporter.close());
      fuse.attach(transporter, nodemailerAdapter());
      const plan = await fuse.plan(
        { ...request, concurrency: 3 },
        {
          audience: people,
          send: (one) =>
            transporter.sendMail({
              from,
              to: { name: one.name, address: one.email },
              subject: `Refund, ${one.name}`,
              text: text(one),
              html: `<p>${text(one)}</p>`,
            }),
          data: ({ order }) => ({ order }),
        },
      );
      expect(plan).toMatchObject({ state: "planned", terms: { people: 7, entries: 7 } });
      expect(server.mails).toEqual([]);
      const approved = (await fuse.mails(plan.id)).flatMap(({ mails }) => mails ?? []);
      await release(fuse, plan);
      expect(server.mails.map(({ to }) => to.join()).sort()).toEqual(people.map(({ email }) => email));
      for (const { bytes, to } of server.mails) {
        const arrived = await simpleParser(bytes);
        const mail = approved.find(({ recipients }) => recipients[0]?.address === to[0]);
        const visible = { subject: arrived.subject, text: arrived.text?.trim(), html: String(arrived.html).trim() };
        expect(visible).toEqual({ subject: mail?.subject, text: mail?.text?.trim(), html: mail?.html?.trim() });
        expect(visible.text).toBe(text(people.find(({ email }) => email === to[0]) as Person));
      }
    },
  );
});
