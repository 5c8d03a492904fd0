import { describe, expect, it } from "vitest";
import { createFuse, type FuseConfig, MailfuseError } from "../src/index";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const caps = [{ people: 10, per: "1h" }];

/** The reasons createFuse gives against a configuration. */
function reasons(config: object): string[] {
  try {
    createFuse({ logger: quiet, ...config } as unknown as FuseConfig);
  } catch (error) {
    if (MailfuseError.isInstance(error))
      return error.refusals.map((refusal) => `${refusal.where}: ${refusal.message} ${refusal.fix}`);
    throw error;
  }
  return [];
}

describe("a configuration", () => {
  const good = { environment: "production", environments: { production: { mode: "live" } }, defaults: { caps } };

  it("passes when it is right", () => {
    expect(reasons(good)).toEqual([]);
    expect(reasons({ environments: {} })).toEqual([]);
  });

  it.each<[string, object, RegExp]>([
    [
      "an unknown key",
      { ...good, purpose: {} },
      /^purpose: Expected only known keys.*got `purpose`\. Did you mean `purposes`\?/,
    ],
    ["a misspelt key", { ...good, allowSystemmail: true }, /Did you mean `allowSystemMail`\?/],
    [
      "an unknown key deep down",
      { ...good, purposes: { x: { kind: "stream", cap: caps } } },
      /^purposes\.x\.cap: .*Did you mean `caps`\?/,
    ],
    [
      "a key of another mode",
      { ...good, environments: { production: { mode: "live", allow: [] } } },
      /environments\.production\.allow/,
    ],
    [
      "a bad duration",
      { ...good, defaults: { caps: [{ people: 1, per: "1 hour" }] } },
      /^defaults\.caps\[0\]\.per: Expected .*"1h".*got "1 hour"/,
    ],
    ["a duration of nothing", { ...good, defaults: { caps: [{ people: 1, per: "0h" }] } }, /got "0h"/],
    [
      "a cap of nobody",
      { ...good, defaults: { caps: [{ people: 0, per: "1h" }] } },
      /^defaults\.caps\[0\]\.people: .*above 0.*got 0/,
    ],
    ["a cap that is a text", { ...good, defaults: { caps: [{ people: "9", per: "1h" }] } }, /got "9"/],
    ["an unknown mode", { ...good, environments: { production: { mode: "prod" } } }, /environments\.production/],
    ["no environments", { environment: "production" }, /^environments: Expected .*got nothing/],
    ["live without a cap for mail of no purpose", { ...good, defaults: {} }, /^defaults\.caps: .*live.*got none/],
    [
      "live with a purpose without a window",
      { ...good, purposes: { x: { kind: "stream", caps: [{ people: 5, per: "call" }] } } },
      /^purposes\.x\.caps: .*only caps per message or call/,
    ],
    ["a short secret", { ...good, secret: "hunter2" }, /^secret: .*16 characters.*not shown/],
    ["an address where a list belongs", { ...good, internal: "ann@acme.test" }, /^internal: .*list.*\(not shown\)/],
    ["an unknown marker", { ...good, live: { despite: ["C1"] } }, /live\.despite.*"C1"/],
    ["a bad allowlist pattern", { environment: "s", environments: { s: { mode: "test", allow: ["*@*"] } } }, /allow/],
    [
      "a bad redirect inbox",
      { environment: "s", environments: { s: { mode: "test", onNotAllowed: { redirectTo: "inbox" } } } },
      /redirectTo/,
    ],
    ["a store that is none", { ...good, store: {} }, /^store: Expected `store` to be a store/],
    [
      "a public key that is none",
      { ...good, approvers: { erin: { publicKey: "abc" } } },
      /approvers\.erin\.publicKey.*Ed25519/,
    ],
  ])("is refused for %s, naming key, expectation, what came and what to do", (_name, config, expected) => {
    const all = reasons(config);
    expect(all.length).toBeGreaterThan(0);
    expect(all.join("\n")).toMatch(expected);
    expect(all.join("\n")).not.toContain("hunter2");
  });

  it("names every mistake at once", () => {
    expect(reasons({ ...good, purpose: {}, secret: "short", unattached: "maybe" })).toHaveLength(3);
  });

  it("never throws for an environment that is unset, unknown or contradicted", () => {
    for (const environment of [undefined, "", "nowhere", "__proto__", "constructor"])
      expect(reasons({ ...good, environment })).toEqual([]);
    expect(reasons({ ...good, env: { CI: "1" } })).toEqual([]);
  });

  it("says at start-up what it does, and why", () => {
    const lines: string[] = [];
    const logger = {
      ...quiet,
      info: (_: object, text: string) => lines.push(text),
      error: (_: object, text: string) => lines.push(`error: ${text}`),
    };
    const fuse = createFuse({
      environment: "staging",
      environments: { staging: { mode: "test", allow: ["*@acme.test", "ann@acme.com"] } },
      logger,
    });
    createFuse({ environment: undefined, environments: {}, logger });
    expect(lines[0]).toBe(
      'test mode in "staging", because `environments.staging` says so: only *@acme.test, 1 single address get mail, other mail is refused',
    );
    expect(lines[1]).toMatch(/^error: test mode in "\(unset\)".*nothing leaves/);
    expect(fuse.describe()).toMatchObject({
      environment: "staging",
      mode: "test",
      allow: { everything: false, people: 1 },
    });
  });
});
