/** What the figures were measured on. */
import { readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import process from "node:process";

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memory: string;
  readonly node: string;
  readonly system: string;
  readonly mailfuse: string;
}

export function describeMachine(): Machine {
  const [first] = cpus();
  const { version } = JSON.parse(readFileSync(`${import.meta.dirname}/../package.json`, "utf8")) as { version: string };
  return {
    processor: first?.model.trim() ?? "unknown",
    cores: cpus().length,
    memory: `${Math.round(totalmem() / 1024 ** 3)} GB`,
    node: process.version,
    system: `${process.platform} ${process.arch}`,
    mailfuse: version,
  };
}
