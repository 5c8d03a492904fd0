/**
 * A loopback server that stands for the providers' HTTP APIs: it answers as they do on acceptance
 * and puts what it was sent into mailboxes. Reads the wire by itself, with none of mailfuse's code.
 */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Delivered, MailServer } from "./mail-server";

interface Sent {
  readonly to: readonly string[];
  readonly text: string;
}

interface Api {
  readonly path: RegExp;
  readonly read: (body: string, type: string) => readonly Sent[];
  readonly answer: { readonly status: number; readonly body: unknown };
}

const json = (body: string) => JSON.parse(body) as unknown;
const split = (text: string) => text.split(",").map((part) => part.trim());

/** Fields of a multipart form, as far as mail needs them. */
function formFields(body: string, type: string): [string, string][] {
  const boundary = /boundary=([^;]+)/.exec(type)?.[1] ?? "";
  return body.split(`--${boundary}`).flatMap((part): [string, string][] => {
    const name = /name="([^"]+)"/.exec(part)?.[1];
    return name ? [[name, part.slice(part.indexOf("\r\n\r\n") + 4).replace(/\r\n$/, "")]] : [];
  });
}

const apis: readonly Api[] = [
  {
    path: /^\/v3\/mail\/send$/,
    read(body) {
      const { personalizations, content } = json(body) as {
        personalizations: { to: { email: string }[] }[];
        content: { value: string }[];
      };
      const text = content.map(({ value }) => value).join();
      return personalizations.map(({ to }) => ({ to: to.map(({ email }) => email), text }));
    },
    answer: { status: 202, body: "" },
  },
  {
    path: /^\/v3\/[^/]+\/messages$/,
    read(body, type) {
      const fields = formFields(body, type);
      const of = (name: string) => fields.filter(([key]) => key === name).map(([, value]) => value);
      return [{ to: of("to").flatMap(split), text: of("text").join() }];
    },
    answer: { status: 200, body: { id: "<1@mailgun>", message: "Queued. Thank you." } },
  },
  {
    path: /^\/v2\/email\/outbound-emails$/,
    read(body) {
      const mail = json(body) as {
        Destination: { ToAddresses: string[] };
        Content: { Simple: { Body: { Text: { Data: string } } } };
      };
      return [{ to: mail.Destination.ToAddresses, text: mail.Content.Simple.Body.Text.Data }];
    },
    answer: { status: 200, body: { MessageId: "1" } },
  },
  {
    path: /^\/email$/,
    read(body) {
      const mail = json(body) as { To: string; TextBody: string };
      return [{ to: split(mail.To), text: mail.TextBody }];
    },
    answer: {
      status: 200,
      body: { To: "", SubmittedAt: "2026-01-01T00:00:00Z", MessageID: "1", ErrorCode: 0, Message: "OK" },
    },
  },
  {
    path: /^\/emails$/,
    read(body) {
      const mail = json(body) as { to: string | string[]; text: string };
      return [{ to: [mail.to].flat().flatMap(split), text: mail.text }];
    },
    answer: { status: 200, body: { id: "1" } },
  },
];

export async function startApiServer(lists: ReadonlyMap<string, readonly string[]>): Promise<MailServer> {
  const mailboxes: Delivered[] = [];
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    const path = new URL(request.url ?? "/", "http://loopback").pathname;
    const api = apis.find((candidate) => candidate.path.test(path));
    for (const { to, text } of api?.read(body, request.headers["content-type"] ?? "") ?? []) {
      const shown = to.map((address) => address.toLowerCase());
      const marks = text.match(/ref-[0-9a-f]{20}/g) ?? [];
      for (const address of shown)
        for (const person of lists.get(address) ?? [address]) mailboxes.push({ person, marks, shown });
    }
    const answer = api?.answer ?? { status: 404, body: { message: "not found" } };
    response.writeHead(answer.status, { "content-type": "application/json", "x-message-id": "1" });
    response.end(answer.body === "" ? "" : JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    mailboxes,
    clear: () => mailboxes.splice(0),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
