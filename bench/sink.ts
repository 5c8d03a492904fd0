/** Starts a server in a process of its own, so that what it does costs the measured process nothing. */
import { fork } from "node:child_process";
import { once } from "node:events";

export interface Sink {
  readonly port: number;
  stop(): Promise<void>;
}

/** `smtp` takes every mail; `http` answers every provider's send as that provider does. */
export async function startSink(kind: "smtp" | "http"): Promise<Sink> {
  const child = fork(`${import.meta.dirname}/sink-process.mjs`, [kind], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    execArgv: [],
  });
  const [port] = (await once(child, "message")) as [number];
  return {
    port,
    async stop() {
      const gone = once(child, "exit");
      child.kill();
      await gone;
    },
  };
}
