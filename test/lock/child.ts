/**
 * Runs in a process of its own, locked or not, and tries to get mail out. The parent names an attempt
 * by IPC and sees on its servers what came of it.
 */
import dns from "node:dns";
import http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import net from "node:net";
import { Readable } from "node:stream";
import tls from "node:tls";
import { Worker } from "node:worker_threads";
import { SESv2Client, SendEmailCommand } from "@aws-sdk/client-sesv2";
import { Client as SendGridClient } from "@sendgrid/client";
import { MailService } from "@sendgrid/mail";
import Mailgun from "mailgun.js";
import nodemailer from "nodemailer";
import { ServerClient } from "postmark";
import { Resend } from "resend";
import { guardedFetch } from "../../adapters/fetch";
import { mailgunAdapter } from "../../adapters/mailgun";
import { nodemailerAdapter } from "../../adapters/nodemailer";
import { postmarkAdapter } from "../../adapters/postmark";
import { resendAdapter } from "../../adapters/resend";
import { sendgridAdapter } from "../../adapters/sendgrid";
import { sesAdapter } from "../../adapters/ses";
import { outsideDelivery, runDelivery } from "../../src/delivery";
import { createFuse, type FuseConfig } from "../../src/index";

export interface Ports {
  readonly smtp: number;
  readonly http: number;
  readonly http2: number;
}

// Every name is this machine, so that a test which fails reaches nobody.
const lookup = (_name: string, options: dns.LookupOptions, done: (...args: unknown[]) => void) =>
  options?.all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4);
dns.lookup = lookup as unknown as typeof dns.lookup;

const provider = "api.resend.com";
const body = JSON.stringify({ from: "a@sender.test", to: "ann@acme.test", subject: "s", text: "t" });
const mail = { from: "a@sender.test", to: "ann@acme.test", subject: "s", text: "t" };

/** A connection that is open, or failed. */
function opened(socket: net.Socket): Promise<string> {
  return new Promise((done, fail) => {
    socket.once("error", fail);
    socket.once("connect", () => {
      socket.destroy();
      done("connected");
    });
  });
}

/** The status of an answer. */
function answered(request: http.ClientRequest, send?: string | Readable): Promise<string> {
  return new Promise((done, fail) => {
    request.once("error", fail);
    request.once("response", (response) => {
      response.resume();
      response.once("end", () => done(`status ${response.statusCode}`));
    });
    request.once("connect", (response) => done(`status ${response.statusCode}`));
    if (send instanceof Readable) send.pipe(request);
    else request.end(send);
  });
}

const transport = (port: number, more: object = {}) =>
  nodemailer.createTransport({ host: "relay.test", port, secure: false, ignoreTLS: true, ...more });

function h2(session: http2.ClientHttp2Session, headers: http2.OutgoingHttpHeaders): Promise<string> {
  return new Promise((done, fail) => {
    session.once("error", fail);
    const stream = session.request(headers);
    stream.once("error", fail);
    stream.once("response", (answer) => {
      stream.close();
      done(`status ${answer[":status"]}`);
    });
    stream.end();
  });
}

const production: FuseConfig = {
  environment: "production",
  environments: { production: { mode: "live" } },
  env: {},
  defaults: { caps: [{ people: 100, per: "1h" }], confirm: { abovePeople: 100 } },
  logger: { debug() {}, info() {}, warn() {}, error() {} },
};

const kept = new http.Agent({ keepAlive: true, maxSockets: 1 });
const pool = (port: number) => transport(port, { pool: true, maxConnections: 2, maxMessages: 3 });
let pooled: ReturnType<typeof pool> | undefined;

/** Everything that was taken before the lock came. */
interface Early {
  readonly request: typeof http.request;
  readonly connect: typeof net.connect;
  readonly fetch: typeof fetch;
  readonly smtp: net.Socket;
  readonly agent: http.Agent;
  readonly session: http2.ClientHttp2Session;
}
let early: Early | undefined;

async function prepare(ports: Ports): Promise<string> {
  const { request } = http;
  const { connect } = net;
  const { fetch } = globalThis;
  const smtp = net.connect(ports.smtp, "127.0.0.1");
  await new Promise((done) => smtp.once("data", done));
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  await answered(http.request({ agent, host: "127.0.0.1", port: ports.http, path: "/warm" }));
  await fetch(`http://${provider}:${ports.http}/warm`).then((response) => response.text());
  const session = http2.connect(`http://127.0.0.1:${ports.http2}`);
  session.unref();
  await h2(session, { ":path": "/warm" });
  early = { request, connect, fetch, smtp, agent, session };
  const { lock } = await import("../../src/lock");
  lock();
  return "ready";
}

const before = (): Early => {
  if (!early) throw new Error("Expected prepare first.");
  return early;
};

const attempts: Record<string, (ports: Ports) => Promise<unknown>> = {
  prepare,

  // Connections
  "net.connect": ({ smtp }) => opened(net.connect(smtp, "127.0.0.1")),
  "net.connect with options": ({ smtp }) => opened(net.connect({ port: String(smtp) as never, host: "relay.test" })),
  "new Socket": ({ smtp }) => opened(new net.Socket().connect(smtp)),
  "tls.connect": ({ smtp }) => opened(tls.connect({ port: smtp, host: "relay.test" })),
  nodemailer: ({ smtp }) => transport(smtp).sendMail(mail),
  "nodemailer, pooled": ({ smtp }) => pool(smtp).sendMail(mail),
  "a provider's relay on another port": ({ http: port }) => opened(net.connect(port, "smtp.sendgrid.net")),
  "an SMTP greeting on another port": async ({ http: port }) => {
    const socket = net.connect(port, "127.0.0.1");
    await new Promise((done) => socket.once("connect", done));
    // Loopback is let be; a relay elsewhere is what this stands for.
    Object.defineProperty(socket, "remoteAddress", { value: "192.0.2.7" });
    return new Promise((done, fail) => {
      socket.once("error", fail);
      socket.write("EHLO client.test\r\n", (error) => (error ? fail(error) : done("written")));
    });
  },
  "a tunnel opened by hand": async ({ http: port }) => {
    const socket = net.connect(port, "127.0.0.1");
    await new Promise((done) => socket.once("connect", done));
    return new Promise((done, fail) => {
      socket.once("error", fail);
      socket.write("CONNECT relay.test:587 HTTP/1.1\r\n\r\n", (error) => (error ? fail(error) : done("written")));
    });
  },
  "TLS to a provider inside a tunnel": async ({ http: port }) => {
    const socket = net.connect(port, "127.0.0.1");
    await new Promise((done) => socket.once("connect", done));
    const secure = tls.connect({ socket, servername: provider, rejectUnauthorized: false });
    return new Promise((_done, fail) => secure.once("error", fail));
  },
  "a worker": ({ smtp }) => {
    const worker = new Worker(new URL("./worker.mjs", import.meta.url), { workerData: { port: smtp } });
    return new Promise((done, fail) => {
      worker.once("error", fail);
      worker.once("message", (answer) => {
        void worker.terminate();
        if (answer === "connected") done(answer);
        else fail(Object.assign(new Error("refused in the worker"), { code: answer }));
      });
    });
  },

  // Requests
  "http.request": ({ http: port }) =>
    answered(http.request({ host: provider, port, path: "/emails", method: "POST" }), body),
  "http.get by URL": ({ http: port }) => answered(http.get(`http://API.Resend.com.:${port}/emails`)),
  "https.request": () => answered(https.request(`https://${provider}/emails`, { method: "POST" }), body),
  "http without an agent": ({ http: port }) =>
    answered(http.request({ agent: false, host: provider, port, method: "POST" }), body),
  "a Host header": ({ http: port }) =>
    answered(http.request({ host: "127.0.0.1", port, method: "POST", headers: { Host: provider } }), body),
  "a Host header in a list": ({ http: port }) =>
    answered(http.request({ host: "127.0.0.1", port, method: "POST", headers: ["Host", provider] as never }), body),
  "a Host header set later": ({ http: port }) => {
    const request = http.request({ host: "127.0.0.1", port, method: "POST" });
    request.setHeader("hOsT", provider);
    return answered(request, body);
  },
  "an HTTP proxy": ({ http: port }) =>
    answered(http.request({ host: "127.0.0.1", port, method: "POST", path: `http://${provider}/emails` }), body),
  "CONNECT to a provider": ({ http: port }) =>
    answered(http.request({ host: "127.0.0.1", port, method: "CONNECT", path: `${provider}:443` })),
  "CONNECT to a submission port": ({ http: port }) =>
    answered(http.request({ host: "127.0.0.1", port, method: "CONNECT", path: "relay.test:587" })),
  fetch: ({ http: port }) => fetch(`http://${provider}:${port}/emails`, { method: "POST", body }),
  "fetch of a Request": ({ http: port }) =>
    fetch(new Request(new URL(`http://${provider}:${port}/emails`), { method: "POST", body })),
  "fetch in full width": ({ http: port }) => fetch(`http://ａｐｉ.resend.com:${port}/emails`, { method: "POST", body }),
  "a path of a shared host": ({ http: port }) =>
    answered(http.request({ host: "graph.microsoft.com", port, path: "/v1.0/me/sendMail", method: "POST" }), body),
  "http2.connect": ({ http2: port }) => h2(http2.connect(`http://${provider}:${port}`), { ":path": "/" }),
  "an HTTP/2 authority": ({ http2: port }) =>
    h2(http2.connect(`http://127.0.0.1:${port}`), { ":path": "/", ":authority": provider }),
  "an HTTP/2 Host header": ({ http2: port }) =>
    h2(http2.connect(`http://127.0.0.1:${port}`), { ":path": "/", Host: provider }),
  "HTTP/2 headers in a list": ({ http2: port }) =>
    h2(http2.connect(`http://127.0.0.1:${port}`), [":path", "/", ":authority", provider] as never),
  "the resend package": async ({ http: port }) => {
    const { error } = await new Resend("re_x", { baseUrl: `http://${provider}:${port}` }).emails.send(mail);
    if (error) throw Object.assign(new Error(error.message), { code: "RESOLVED_AN_ERROR" });
    return "sent";
  },
  "the postmark package": ({ http: port }) =>
    new ServerClient("t", { useHttps: false, requestHost: `api.postmarkapp.com:${port}` }).sendEmail({
      From: "a@sender.test",
      To: "ann@acme.test",
      Subject: "s",
      TextBody: "t",
    }),

  // What has nothing to do with mail
  "another host": ({ http: port }) => answered(http.request({ host: "api.example.test", port, path: "/emails" })),
  "another host by fetch": ({ http: port }) =>
    fetch(`http://api.example.test:${port}/emails`, { method: "POST", body }),
  "another path of a shared host": ({ http: port }) =>
    answered(http.request({ host: "graph.microsoft.com", port, path: "/v1.0/me" })),
  "another port": ({ http: port }) => opened(net.connect(port, "127.0.0.1")),
  "another HTTP/2 server": ({ http2: port }) => h2(http2.connect(`http://127.0.0.1:${port}`), { ":path": "/" }),

  // Deliveries
  "inside: http.request": (ports) => runDelivery(() => attempts["http.request"]!(ports)),
  "inside: fetch": (ports) => runDelivery(() => attempts.fetch!(ports)),
  "inside: a Host header": (ports) => runDelivery(() => attempts["a Host header"]!(ports)),
  "inside: http2": (ports) => runDelivery(() => attempts["an HTTP/2 authority"]!(ports)),
  "inside: nodemailer": (ports) => runDelivery(() => attempts.nodemailer!(ports)),
  "inside: after a timer": (ports) =>
    runDelivery(() => new Promise((done) => setImmediate(done)).then(() => attempts.nodemailer!(ports))),
  "inside: a body piped in from outside": ({ http: port }) => {
    const source = new Readable({ read() {} });
    setImmediate(() => {
      source.push(body);
      source.push(null);
    });
    return runDelivery(() => answered(http.request({ host: provider, port, method: "POST" }), source));
  },
  "inside: the application's own code": (ports) =>
    runDelivery(() => outsideDelivery(() => attempts["http.request"]!(ports))),
  "inside: a pool": async ({ smtp }) => {
    pooled ??= pool(smtp);
    const own = pooled;
    await Promise.all(Array.from({ length: 10 }, () => runDelivery(() => own.sendMail(mail))));
    return "sent";
  },
  "a fuse": async ({ smtp, http: port }) => {
    const fuse = createFuse(production);
    const mailer = fuse.attach(pool(smtp), nodemailerAdapter());
    const resend = fuse.attach(new Resend("re_x", { baseUrl: `http://${provider}:${port}` }), resendAdapter());
    await mailer.verify();
    await Promise.all([1, 2, 3, 4, 5].map((at) => mailer.sendMail({ ...mail, to: `ann${at}@acme.test` })));
    const { error } = await resend.emails.send(mail);
    const read = await resend.domains.list();
    await fuse.close();
    mailer.close();
    return `${error?.message ?? "sent"}, ${read.error?.message ?? "read"}`;
  },
  "every provider's client": async ({ http: port }) => {
    const fuse = createFuse({ ...production, unattached: "refuse" });
    const sendgrid = new MailService();
    const client = new SendGridClient();
    client.setApiKey("SG.x");
    client.setDefaultRequest("baseUrl", `http://api.sendgrid.com:${port}/`);
    sendgrid.setClient(client);
    fuse.attach(sendgrid, sendgridAdapter());
    // SendGrid writes into what it is given.
    await sendgrid.send({ ...mail });
    const mailgun = new Mailgun(FormData).client({ username: "api", key: "k", url: `http://api.mailgun.net:${port}` });
    await fuse.attach(mailgun, mailgunAdapter()).messages.create("acme.test", { ...mail });
    const ses = new SESv2Client({
      region: "eu-west-1",
      endpoint: `http://email.eu-west-1.amazonaws.com:${port}`,
      credentials: { accessKeyId: "a", secretAccessKey: "b" },
    });
    fuse.attach(ses, sesAdapter());
    const Body = { Text: { Data: "t" } };
    const Content = { Simple: { Subject: { Data: "s" }, Body } };
    const Destination = { ToAddresses: [mail.to] };
    await ses.send(new SendEmailCommand({ FromEmailAddress: mail.from, Destination, Content }));
    const postmark = new ServerClient("t", { useHttps: false, requestHost: `api.postmarkapp.com:${port}` });
    await fuse
      .attach(postmark, postmarkAdapter())
      .sendEmail({ From: mail.from, To: mail.to, Subject: "s", TextBody: "t" });
    const body = JSON.stringify({ From: mail.from, To: mail.to, Subject: "s", TextBody: "t" });
    await guardedFetch(fuse)(`http://api.postmarkapp.com:${port}/email`, { method: "POST", body });
    await fuse.close();
    return "sent";
  },
  "a connection that a delivery left open": async ({ http: port }) => {
    const request = () =>
      answered(http.request({ agent: kept, host: provider, port, path: "/emails", method: "POST" }), body);
    await runDelivery(request);
    return request();
  },
  "a fetch connection that a delivery left open": async ({ http: port }) => {
    const request = () =>
      fetch(`http://${provider}:${port}/emails`, { method: "POST", body }).then((response) => response.text());
    await runDelivery(request);
    return request();
  },

  // What was there before the lock
  "early: http.request": ({ http: port }) => answered(before().request({ host: provider, port, method: "POST" }), body),
  "early: net.connect": ({ smtp }) => opened(before().connect(smtp, "127.0.0.1")),
  "early: fetch": ({ http: port }) => before().fetch(`http://${provider}:${port}/emails`, { method: "POST", body }),
  "early: an SMTP connection": () =>
    new Promise((done, fail) => {
      const { smtp } = before();
      smtp.once("error", fail);
      smtp.write("MAIL FROM:<a@sender.test>\r\n", (error) => (error ? fail(error) : done("written")));
    }),
  "early: a kept connection": ({ http: port }) =>
    answered(
      before().request({ agent: before().agent, host: "127.0.0.1", port, method: "POST", headers: { host: provider } }),
      body,
    ),
  "early: an HTTP/2 session": () => h2(before().session, { ":path": "/", ":authority": provider }),
};

/** What came of an attempt: its error's code and text, wherever the client has put it. */
async function come(attempt: (ports: Ports) => Promise<unknown>, ports: Ports) {
  try {
    const result = await attempt(ports);
    return {
      result: result instanceof Response ? `status ${result.status}` : typeof result === "string" ? result : "sent",
    };
  } catch (thrown) {
    const chain: { code?: unknown; message: string; name: string }[] = [];
    for (let error = thrown as Error | undefined; error && chain.length < 5; error = error.cause as Error | undefined)
      chain.push(error);
    const own = chain.find(({ code }) => code === "UNGUARDED_SEND") ?? chain[0];
    return {
      code: String(own?.code ?? own?.name),
      message: String(own?.message),
      first: String(chain[0]?.code ?? chain[0]?.name),
    };
  }
}

const warnings: string[] = [];
process.on("warning", (warning) => warnings.push(`${(warning as { code?: string }).code}: ${warning.message}`));

process.on("message", (message: { name: string; ports: Ports }) => {
  const { name, ports } = message;
  if (name === "warnings") return void process.send?.({ result: warnings.join("\n") });
  const attempt = attempts[name];
  if (!attempt) return void process.send?.({ code: "NO_SUCH_ATTEMPT" });
  void come(attempt, ports).then((outcome) => process.send?.(outcome));
});
process.send?.({ result: "started" });
