/** A TCP proxy on loopback that breaks connections where a test wants it. */
import { connect, createServer, type Socket } from "node:net";

/** Stands between a client and a server. */
export interface BreakingProxy {
  readonly port: number;
  /**
   * Lets the next request that holds this text reach the server, swallows the answer to it, and cuts the connection. Resolves
   * when it has.
   */
  swallowAnswerTo(text: string): Promise<void>;
  /** Cuts every connection. */
  cut(): void;
  /** Cuts every connection and leads the next ones to another port. */
  retarget(port: number): void;
  close(): Promise<void>;
}

/** Starts a proxy to a port on loopback. */
export async function startProxy(port: number): Promise<BreakingProxy> {
  let target = port;
  const open = new Set<Socket>();
  let trap: { readonly text: string; readonly sprung: () => void } | undefined;
  const server = createServer((client) => {
    const upstream = connect(target, "127.0.0.1");
    let swallowing: (() => void) | undefined;
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on("data", (data) => {
      if (trap && data.includes(trap.text)) {
        swallowing = trap.sprung;
        trap = undefined;
      }
      upstream.write(data);
    });
    upstream.on("data", (data) => {
      if (!swallowing) return void client.write(data);
      client.destroy();
      swallowing();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const cut = () => {
    for (const socket of open) socket.destroy();
  };
  const proxy: BreakingProxy = {
    port: typeof address === "object" && address ? address.port : 0,
    swallowAnswerTo: (text) =>
      new Promise((sprung) => {
        trap = { text, sprung };
      }),
    cut,
    retarget(other) {
      target = other;
      cut();
    },
    close() {
      cut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return proxy;
}
