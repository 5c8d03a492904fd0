/**
 * `mailfuse doctor`: does everything hold that has to hold before mail may leave.
 *
 * @module
 */
import process from "node:process";
import type { Command } from "commander";
import type { Fuse, Status } from "../../index";
import type { Act, Context } from "../context";
import { exit, exitCodeOf } from "../exit";
import { plain } from "../output";
import { modeLine } from "./status";

/** One thing that was looked at. */
interface Finding {
  readonly name: string;
  /** `warn`: it works, and a person should know. `fail`: the command ends with 1. */
  readonly state: "ok" | "warn" | "fail";
  readonly says: string;
}

/** Clocks that lie further apart than this make tokens expire early or late. */
const mostSkewMs = 30_000;
const slowMs = 250;

export function addDoctor(program: Command, act: Act): void {
  program
    .command("doctor")
    .description(
      "environment, store, keys, clients, and a drill that must be refused; ends with 1 when something is wrong",
    )
    .addHelpText(
      "after",
      "\nSends no mail. Run it when a machine starts, with the environment variables the application gets.\n\nExample:\n  $ npx mailfuse doctor\n",
    )
    .action(
      act(async (context: Context, _options: object) => {
        const { out } = context;
        const { file, fuse } = await context.load();
        const description = fuse.describe();
        modeLine(out, description);
        const findings: Finding[] = [
          { name: "node", state: "ok", says: `${process.version}, configuration ${file}` },
          ...environment(description),
          ...clients(fuse),
          ...(await store(fuse)),
        ];
        for (const { name, state, says } of findings) {
          const style = { ok: "green", warn: "yellow", fail: "red" } as const;
          out.line(`  ${out.style(style[state], state.padEnd(4))}  ${name.padEnd(12)}${plain(says)}`);
        }
        const ok = findings.every(({ state }) => state !== "fail");
        out.json({ ok, description, findings });
        return ok ? exit.ok : exit.failure;
      }),
    );
}

function environment({ closed, letsThrough, mode }: Status["description"]): readonly Finding[] {
  if (closed.length > 0) return [{ name: "environment", state: "fail", says: `${closed.join(", ")}: ${letsThrough}` }];
  if (mode === "observe") return [{ name: "environment", state: "warn", says: "observe mode blocks next to nothing" }];
  return [{ name: "environment", state: "ok", says: letsThrough }];
}

function clients(fuse: Fuse): readonly Finding[] {
  const attached = fuse.describe().clients;
  if (attached.length === 0) {
    return [
      {
        name: "clients",
        state: "warn",
        says: "none is attached in the configuration: nothing is guarded through it, and no plan can be released here",
      },
    ];
  }
  const moved = fuse.verify();
  if (moved.length === 0)
    return [{ name: "clients", state: "ok", says: `${attached.join(", ")}; every choke point is in place` }];
  return moved.map(({ client, message, fix }) => ({
    name: "clients",
    state: "fail",
    says: `${client}: ${message} ${fix ?? ""}`,
  }));
}

async function store(fuse: Fuse): Promise<readonly Finding[]> {
  let status: Status;
  try {
    status = await fuse.status();
  } catch (error) {
    if (exitCodeOf(error) !== exit.failure) throw error;
    const says = error instanceof Error ? error.message : String(error);
    return [{ name: "store", state: "fail", says }];
  }
  const { latencyMs, skewMs } = status.store;
  const facts = status.description.store;
  const production = status.description.mode !== "test";
  return [
    {
      name: "store",
      state: latencyMs > slowMs ? "warn" : "ok",
      says: `${facts?.kind ?? "?"} answers in ${latencyMs} ms`,
    },
    {
      name: "durability",
      state: facts?.durability === "power-loss" || !production ? "ok" : "warn",
      says: durability[facts?.durability ?? "none"] + (facts ? ` ${facts.says}` : ""),
    },
    {
      name: "shared",
      state: facts?.shared || !production ? "ok" : "warn",
      says: facts?.shared ? "several processes share it" : "it holds in one process, and is forgotten at its end",
    },
    {
      name: "clock",
      state: Math.abs(skewMs) > mostSkewMs ? "fail" : "ok",
      says: `this machine and the store lie ${Math.abs(skewMs)} ms apart`,
    },
    {
      name: "secret",
      state: status.secret === "configured" || !production ? "ok" : "warn",
      says:
        status.secret === "configured"
          ? "from the configuration"
          : "a random one, kept in the store beside what it protects",
    },
    approvers(status),
    {
      name: "halts",
      state: status.halts.length > 0 ? "warn" : "ok",
      says: status.halts.map(({ scope, reason }) => `${scope} (${reason})`).join(", ") || "none",
    },
    await drill(fuse),
  ];
}

const durability = {
  none: "a written line does not survive the process.",
  process: "a written line survives the process, not power loss.",
  "power-loss": "a written line survives power loss.",
} as const;

async function drill(fuse: Fuse): Promise<Finding> {
  const { refused, codes } = await fuse.drill();
  if (refused)
    return { name: "drill", state: "ok", says: `a mass mail without a plan was refused (${codes.join(", ")})` };
  return {
    name: "drill",
    state: "fail",
    says: "a mass mail without a plan was NOT refused; nothing was sent. Report this as a security defect",
  };
}

/** Bulk mail leaves only when people confirm it. */
function approvers({ approvers: count, description }: Status): Finding {
  const bulk = description.purposes.filter(({ kind }) => kind === "bulk").map(({ name }) => name);
  if (bulk.length > 0 && count === 0) {
    return {
      name: "keys",
      state: "warn",
      says: `nobody has a key, so nobody can confirm ${bulk.join(", ")}: \`mailfuse keys new\``,
    };
  }
  return { name: "keys", state: "ok", says: `${count} ${count === 1 ? "approver has" : "approvers have"} a key` };
}
