/**
 * MailerSend, SparkPost, Azure, Mailtrap and Customer.io plan, have it confirmed, and release; what their server received is compared with
 * what was approved, and with what the same job sends through a client without a fuse.
 */
import { EmailClient } from "@azure/communication-email";
import * as cio4 from "customerio-node";
import * as cio5 from "customerio-node-5";
import { LoopsClient } from "loops";
import { MailerSend } from "mailersend";
import { MailtrapClient } from "mailtrap";
import SparkPost from "sparkpost";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { azureAdapter } from "../../adapters/azure";
import { customerioAdapter } from "../../adapters/customerio";
import { loopsAdapter } from "../../adapters/loops";
import { mailersendAdapter } from "../../adapters/mailersend";
import { mailtrapAdapter } from "../../adapters/mailtrap";
import { sparkpostAdapter } from "../../adapters/sparkpost";
import type { Adapter } from "../../src/adapter";
import { createFuse, type Fuse, memoryStore, type Plan, signToken } from "../../src/index";
import { keys } from "../plan/release-set-up";
import { type Arrived, type Endpoint, startEndpoint } from "../support/endpoint";
import { PlainAgent } from "../support/plain-agent";

let endpoint: Endpoint;
beforeAll(async () => {
  endpoint = await startEndpoint(({ method, url, body }) => {
    if (method === "GET") return { body: { id: "m", status: "Succeeded" } };
    if (url === "/v1/send/email") return { body: { delivery_id: "m", queued_at: 1 } };
    if (url.endsWith("/bulk-email")) return { status: 202, body: { message: "m", bulk_email_id: "b" } };
    if (url.endsWith("/email")) return { status: 202, headers: { "x-message-id": "m" } };
    if (url.endsWith("/transmissions")) {
      const { recipients } = JSON.parse(body) as { recipients: { length?: number } };
      const total_accepted_recipients = recipients.length ?? 50;
      return { body: { results: { total_accepted_recipients, total_rejected_recipients: 0, id: "7" } } };
    }
    if (url === "/api/send") return { body: { success: true, message_ids: ["m"] } };
    if (url === "/api/batch") {
      const { requests } = JSON.parse(body) as { requests: unknown[] };
      return { body: { success: true, responses: requests.map(() => ({ success: true, message_ids: ["m"] })) } };
    }
    if (url === "/api/v1/transactional") return { body: { success: true } };
    const headers = { "operation-location": `${endpoint.url}/emails/operations/m` };
    return { status: 202, headers, body: { id: "m", status: "Running" } };
  });
});
beforeEach(() => {
  endpoint.arrived.length = 0;
});
afterAll(() => endpoint.close());

const people = Array.from({ length: 6 }, (_, at) => ({ email: `p${at}@acme.test`, name: `Name ${at}` }));
type Person = (typeof people)[number];
const from = "offers@sender.test";
const text = ({ name }: Person) => `Dear ${name}, your order is refunded.`;

interface Part {
  baseUrl: string;
}
function mailersend(): MailerSend {
  const made = new MailerSend({ apiKey: "key" });
  (made.email as unknown as Part).baseUrl = `${endpoint.url}/v1`;
  return made;
}
const mail = (one: Person) => ({
  from: { email: from },
  to: [{ email: one.email }],
  subject: "Refund",
  text: text(one),
});

function mailtrap(): MailtrapClient {
  const made = new MailtrapClient({ token: "key" });
  Object.assign((made as unknown as { axios: { defaults: object } }).axios.defaults, {
    httpsAgent: new PlainAgent(endpoint.url),
  });
  return made;
}
const transactional = (one: Person) => ({
  to: one.email,
  identifiers: { email: one.email },
  from,
  subject: "Refund",
  body: "<p>Your order is refunded.</p>",
  body_plain: text(one),
});

interface Case<Client extends object = object> {
  readonly name: string;
  readonly client: () => Client;
  readonly adapter: () => Adapter<Client>;
  readonly job: (client: Client) => Promise<unknown>;
}

const cases = [
  {
    name: "mailersend, one by one",
    client: mailersend,
    adapter: mailersendAdapter,
    job: (c) => Promise.all(people.map((one) => c.email.send(mail(one) as never))),
  } satisfies Case<MailerSend>,
  {
    name: "mailersend, all at once",
    client: mailersend,
    adapter: mailersendAdapter,
    job: (c) => c.email.sendBulk(people.map(mail) as never),
  } satisfies Case<MailerSend>,
  {
    name: "sparkpost",
    client: () => new SparkPost("key", { origin: endpoint.url }),
    adapter: sparkpostAdapter,
    job: (c) =>
      c.transmissions.send({
        recipients: people.map(({ email, name }) => ({ address: email, substitution_data: { name } })),
        content: { from, subject: "Refund", text: text({ email: "", name: "{{name}}" }) },
      }),
  } satisfies Case<SparkPost>,
  {
    name: "azure",
    client: () => new EmailClient(`endpoint=${endpoint.url}/;accesskey=a2V5`, { allowInsecureConnection: true }),
    adapter: azureAdapter,
    async job(c) {
      for (const one of people) {
        const poller = await c.beginSend({
          senderAddress: from,
          content: { subject: "Refund", plainText: text(one) },
          recipients: { to: [{ address: one.email }] },
        });
        expect(await poller.pollUntilDone()).toMatchObject({ status: "Succeeded" });
      }
    },
  } satisfies Case<EmailClient>,
  {
    name: "mailtrap, one by one",
    client: mailtrap,
    adapter: mailtrapAdapter,
    job: (c) => Promise.all(people.map((one) => c.send(mail(one)))),
  } satisfies Case<MailtrapClient>,
  {
    name: "mailtrap, all at once",
    client: mailtrap,
    adapter: mailtrapAdapter,
    job: (c) =>
      c.batchSend({
        base: { from: { email: from }, subject: "Refund" },
        requests: people.map((one) => ({ to: [{ email: one.email }], text: text(one) })),
      }),
  } satisfies Case<MailtrapClient>,
  {
    name: "customer.io, version 5",
    client: () => new cio5.APIClient("key", { url: `${endpoint.url}/v1` }),
    adapter: customerioAdapter,
    job: (c) => Promise.all(people.map((one) => c.sendEmail(new cio5.SendEmailRequest(transactional(one) as never)))),
  } satisfies Case<cio5.APIClient>,
  {
    name: "customer.io, version 4",
    client: () => new cio4.APIClient("key", { agent: new PlainAgent(endpoint.url) } as never),
    adapter: customerioAdapter,
    job: (c) => Promise.all(people.map((one) => c.sendEmail(new cio4.SendEmailRequest(transactional(one) as never)))),
  } satisfies Case<cio4.APIClient>,
] as readonly unknown[] as readonly Case[];

const mails = (arrived: readonly Arrived[]) =>
  arrived
    .filter(({ method }) => method === "POST")
    .map(({ url, body }) => `${url} ${body}`)
    .sort();

function fuseWith(): Fuse {
  const fuse = createFuse({
    environment: "production",
    environments: { production: { mode: "live" } },
    env: {},
    purposes: { refund: { kind: "bulk", caps: [{ people: 100, per: "24h" }] } },
    defaults: { caps: [{ people: 5, per: "1h" }] },
    approvers: { erin: { publicKey: keys.erin.publicKey }, dana: { publicKey: keys.dana.publicKey } },
    audiences: { customers: { people: 50 } },
    secret: "a secret of some length",
    store: memoryStore(),
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  });
  onTestFinished(() => fuse.close());
  return fuse;
}

async function release(fuse: Fuse, plan: Plan): Promise<void> {
  const { view } = await fuse.view(plan.id, { by: "erin" });
  const { privateKey } = keys.erin;
  const token = await signToken({
    plan: plan.id,
    digest: plan.digest,
    view,
    by: "erin",
    privateKey,
    now: Date.now(),
  });
  expect(await fuse.release(plan.id, { tokens: [token] })).toMatchObject({ state: "done", refused: 0, unknown: 0 });
}

describe.each(cases.map((one) => [one.name, one] as const))("%s", (_name, one) => {
  it("delivers what was approved, and what it sends without a fuse, only after the confirmation", async () => {
    await one.job(one.client());
    const without = mails(endpoint.arrived.splice(0));
    const fuse = fuseWith();
    const client = fuse.attach(one.client(), one.adapter());
    const request = { purpose: "refund", expectedPeople: people.length, requestedBy: "dana" };
    const plan = await fuse.plan(request, () => one.job(client));
    expect([plan.state, plan.refusals]).toEqual(["planned", []]);
    expect(plan.terms).toMatchObject({ people: people.length });
    expect(endpoint.arrived).toEqual([]);
    const approved = (await fuse.mails(plan.id)).flatMap((entry) => entry.mails ?? []);
    expect(approved.map((planned) => planned.text).sort()).toEqual(people.map(text));

    await release(fuse, plan);
    expect(mails(endpoint.arrived)).toEqual(without);
  });
});

it("a declared list at SparkPost leaves after its confirmation, and counts at its size", async () => {
  const fuse = fuseWith();
  const sparkpost = fuse.attach(new SparkPost("key", { origin: endpoint.url }), sparkpostAdapter());
  const request = { purpose: "refund", expectedPeople: 50, requestedBy: "dana" };
  const plan = await fuse.plan(request, () =>
    sparkpost.transmissions.send({
      recipients: { list_id: "customers" },
      content: { from, subject: "Refund", text: "Your order is refunded." },
    }),
  );
  expect([plan.state, plan.refusals, plan.terms.people]).toEqual(["planned", [], 50]);
  expect(endpoint.arrived).toEqual([]);
  await release(fuse, plan);
  expect(endpoint.arrived.map(({ body }) => JSON.parse(body).recipients)).toEqual([{ list_id: "customers" }]);
});

it("mail of Loops, whose text stands there, is planned where that is said, and leaves after its confirmation", async () => {
  const fuse = fuseWith();
  const loops = new LoopsClient("key");
  loops.apiRoot = `${endpoint.url}/api/`;
  fuse.attach(loops, loopsAdapter());
  const request = { purpose: "refund", expectedPeople: people.length, requestedBy: "dana" };
  const job = () =>
    Promise.all(people.map(({ email }) => loops.sendTransactionalEmail({ transactionalId: "refund", email })));
  const closed = await fuse.plan(request, job);
  expect([closed.state, ...new Set(closed.refusals.map(({ code }) => code))]).toEqual(["refused", "TEXT_NOT_BOUND"]);
  const plan = await fuse.plan({ ...request, allowUnboundText: true }, job);
  expect([plan.state, endpoint.arrived]).toEqual(["planned", []]);
  await release(fuse, plan);
  expect(endpoint.arrived.map(({ body }) => JSON.parse(body).email).sort()).toEqual(people.map(({ email }) => email));
  expect(new Set(endpoint.arrived.map(({ headers }) => headers["idempotency-key"])).size).toBe(people.length);
});
