/** Leads `https:` requests of SDKs whose hosts cannot be set to a plain server on loopback. */
import { Agent } from "node:https";
import { connect, type Socket } from "node:net";

/** An agent for `node:https` whose connections all go to `url`, without TLS. */
export class PlainAgent extends Agent {
  readonly #port: number;

  constructor(url: string) {
    super();
    this.#port = Number(new URL(url).port);
  }

  override createConnection(): Socket {
    return connect({ host: "127.0.0.1", port: this.#port });
  }
}
