/** An HTTP server on loopback that keeps what arrives and answers as it is told. */
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

export interface Arrived {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Answered {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  /** Drops the connection once the request has been read. */
  readonly reset?: true;
}

export interface Endpoint {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly arrived: Arrived[];
  /** Answers of the next requests, in order; then the default one. */
  readonly answers: Answered[];
  close(): Promise<void>;
}

/** Starts one; `usual` answers what nothing else was said about. */
export async function startEndpoint(usual: (request: Arrived) => Answered = () => ({ body: {} })): Promise<Endpoint> {
  const arrived: Arrived[] = [];
  const answers: Answered[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      const one: Arrived = { method, url, headers, body: Buffer.concat(chunks).toString("utf8") };
      arrived.push(one);
      const { status = 200, headers: more, body = {}, reset } = answers.shift() ?? usual(one);
      if (reset) return void request.socket.destroy();
      response.writeHead(status, { "content-type": "application/json", ...more });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    port,
    arrived,
    answers,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

/** What stands on the wire, without what differs between two connections. */
export function onWire({ method, url, headers, body }: Arrived): unknown {
  const { host: _host, connection: _connection, ...rest } = headers;
  return { method, url, headers: rest, body };
}

/** A port of this machine on which nobody listens. */
export async function closedPort(): Promise<number> {
  const endpoint = await startEndpoint();
  await endpoint.close();
  return endpoint.port;
}
