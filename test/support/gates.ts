/** Gates and fuses for tests of adapters. */

import { onTestFinished } from "vitest";
import type { Adapter, Call, Gate, Intent, Outcome } from "../../src/adapter";
import { MailfuseError } from "../../src/adapter";
import { createFuse, type Fuse, type FuseConfig } from "../../src/index";

/** A gate that delivers everything and keeps what it saw. */
export interface OpenGate extends Gate {
  readonly calls: Call[];
  readonly outcomes: Outcome[];
  /** How often a delivery asked before it sent. */
  commits: number;
  last(): Call;
}

/** Delivers whatever has no problems, and reads the outcome. */
export function openGate(unattached: Gate["unattached"] = "refuse"): OpenGate {
  const calls: Call[] = [];
  const outcomes: Outcome[] = [];
  const gate: OpenGate = {
    calls,
    outcomes,
    commits: 0,
    unattached,
    limits: { depth: 100, nodes: 1_000_000, bytes: 64 * 1024 * 1024 },
    last: () => calls.at(-1) as Call,
    async pass(call) {
      calls.push(call as Call);
      const problems = problemsOf(call.intent);
      if (problems.length > 0) throw new MailfuseError(problems);
      try {
        const result = await call.deliver(async () => {
          gate.commits += 1;
          return { reservation: `reservation-${gate.commits}` };
        });
        outcomes.push(call.outcome({ result }));
        return result;
      } catch (error) {
        outcomes.push(call.outcome({ error }));
        throw error;
      }
    },
  };
  return gate;
}

function problemsOf(intent: Intent) {
  if (intent.kind === "unknown") return [{ code: "REQUEST_UNKNOWN" as const, message: intent.what }];
  return "problems" in intent ? intent.problems : [];
}

// A hooked class stays hooked as long as a client is held: the next test's clients would be strangers.
function forThisTest(fuse: Fuse): Fuse {
  onTestFinished(() => fuse.close());
  return fuse;
}

/** A fuse in live mode that lets ordinary mail leave. */
export function liveFuse(config: Partial<FuseConfig> = {}): Fuse {
  return forThisTest(
    createFuse({
      environment: "production",
      environments: { production: { mode: "live" } },
      env: {},
      defaults: { caps: [{ people: 100_000, per: "1h" }], confirm: { abovePeople: 100_000 } },
      logger: silent,
      ...config,
    }),
  );
}

/** A fuse in test mode with this allowlist. */
export function testFuse(allow: readonly string[], config: Partial<FuseConfig> = {}): Fuse {
  return forThisTest(
    createFuse({
      environment: "staging",
      environments: { staging: { mode: "test", allow: [...allow] } },
      env: {},
      logger: silent,
      ...config,
    }),
  );
}

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** A client held by an open gate until the test ends. */
export function hold<Client extends object>(client: Client, adapter: Adapter<Client>, unattached?: Gate["unattached"]) {
  const gate = openGate(unattached);
  const attachment = adapter.attach(client, gate);
  onTestFinished(() => attachment.detach());
  return { client, gate, attachment };
}

/** The code a promise rejects with; what it resolved with, when it did not reject. */
export async function refusalOf(work: unknown): Promise<string> {
  try {
    return `resolved: ${JSON.stringify(await work)}`;
  } catch (error) {
    return MailfuseError.isInstance(error) ? error.code : `threw: ${String(error)}`;
  }
}
