/**
 * Turns a checked configuration into what guards read: every default filled in, every pattern
 * compiled, the present environment decided, and one digest over the whole policy.
 *
 * @module
 */
import { createPrivateKey } from "node:crypto";
import { type Address, parseAddress } from "../address";
import { type Allowlist, compileAllowlist } from "../allowlist";
import { parseDuration } from "../clock";
import type { DefaultsConfig, FuseConfig, LedgerConfig, OnNotAllowed, PasskeyConfig } from "../config";
import { MailfuseError, type Refusal } from "../errors";
import type { Mode } from "../guard";
import { type Cap, correctionName, type PersonCap } from "../purpose";
import { Purposes } from "../purposes";
import { policyDigest } from "./digest";
import { contradictions, markerNames } from "./markers";
import { doublePeople } from "./principals";
import { resolveCap, resolveFallback, resolvePersonCap, resolvePurpose } from "./purposes";

/** What becomes of mail that the allowlist does not let out. */
export type NotAllowed =
  | { readonly kind: "refuse" | "drop" | "capture" }
  | { readonly kind: "redirect"; readonly to: Address; readonly cap: PersonCap };

/** The present environment, decided. */
export interface Environment {
  readonly name: string;
  readonly mode: Mode;
  /** Why this mode, in one sentence. */
  readonly why: string;
  readonly allow: Allowlist;
  readonly notAllowed: NotAllowed;
  /** Reasons for which nothing may leave here at all. */
  readonly closed: readonly Refusal[];
}

/** A passkey of an approver; see `PasskeyConfig`. */
export type Passkey = PasskeyConfig;

/** A person who may confirm. */
export interface Approver {
  readonly keys: readonly string[];
  readonly passkeys?: readonly Passkey[];
  readonly roles: readonly string[];
}

/** How the ledger is sealed, resolved. */
export interface LedgerSettings extends Pick<LedgerConfig, "signingKey" | "heads"> {
  readonly trustedKeys: readonly string[];
  readonly sealEveryMs: number;
}

/** The resolved configuration. */
export interface Settings {
  readonly environment: Environment;
  readonly purposes: Purposes;
  readonly caps: readonly Cap[];
  readonly internal: Allowlist;
  readonly lists: Allowlist;
  readonly audiences: ReadonlyMap<string, number>;
  readonly allowSystemMail: boolean;
  readonly unattached: "refuse" | "pass";
  readonly isSuppressed?: NonNullable<FuseConfig["isSuppressed"]>;
  readonly approvers: ReadonlyMap<string, Approver>;
  readonly principals: ReadonlySet<string>;
  readonly ledger: LedgerSettings;
  readonly retention: { readonly addressesMs: number };
  readonly limits: { readonly depth: number; readonly nodes: number; readonly bytes: number };
  /** Changes with everything that decides what may leave. */
  readonly policyDigest: string;
}

const defaultLimits = { depth: 24, nodes: 1_000_000, bytes: 40 * 1024 * 1024 };

/** Resolves a checked configuration. Throws `CONFIG_INVALID`. */
export function resolveConfig(config: FuseConfig): Settings {
  const problems: Refusal[] = [...missingCaps(config), ...unknownMarkers(config), ...doublePeople(config)];
  if (problems.length > 0) throw new MailfuseError(problems);
  const approvers = new Map(
    Object.entries(config.approvers ?? {}).map(([name, a]) => [
      name,
      { keys: [a.publicKey ?? []].flat(), passkeys: a.passkeys ?? [], roles: a.roles ?? [] },
    ]),
  );
  return {
    environment: resolveEnvironment(config),
    purposes: new Purposes(
      new Map(Object.entries(config.purposes ?? {}).map(([name, purpose]) => [name, resolvePurpose(name, purpose)])),
      resolveFallback(config.defaults ?? {}),
      resolvePurpose(correctionName, {
        kind: "bulk",
        ...(config.defaults?.content ? { content: config.defaults.content } : {}),
      }),
    ),
    caps: (config.caps ?? []).map(resolveCap),
    internal: compileAllowlist(config.internal ?? [], { key: "internal" }),
    lists: compileAllowlist(config.lists ?? [], { key: "lists" }),
    audiences: new Map(Object.entries(config.audiences ?? {}).map(([id, { people }]) => [id.toLowerCase(), people])),
    allowSystemMail: config.allowSystemMail ?? false,
    unattached: config.unattached ?? "refuse",
    ...(config.isSuppressed ? { isSuppressed: config.isSuppressed } : {}),
    approvers,
    principals: new Set([...approvers.keys(), ...(config.requesters ?? [])]),
    ledger: resolveLedger(config.ledger ?? {}),
    retention: { addressesMs: parseDuration(config.retention?.addresses ?? "30d") as number },
    limits: { ...defaultLimits, ...config.limits },
    policyDigest: policyDigest(config),
  };
}

function resolveLedger({ signingKey, trustedKeys, sealEvery, heads }: LedgerConfig): LedgerSettings {
  return {
    ...(signingKey === undefined ? {} : { signingKey: checkedSigningKey(signingKey) }),
    trustedKeys: trustedKeys ?? [],
    sealEveryMs: parseDuration(sealEvery ?? "1m") as number,
    ...(heads === undefined ? {} : { heads }),
  };
}

function checkedSigningKey(pem: string): string {
  try {
    if (createPrivateKey(pem).asymmetricKeyType === "ed25519") return pem;
  } catch {
    // Says what is expected, below; the cause could hold a piece of the key.
  }
  throw new MailfuseError({
    code: "CONFIG_INVALID",
    message: "Expected `ledger.signingKey` to be an Ed25519 private key (PKCS #8 PEM), got something else.",
    fix: "Make one with `npx mailfuse keys new`, or leave it out.",
    where: "ledger.signingKey",
  });
}

function resolveEnvironment(config: FuseConfig): Environment {
  const name = config.environment;
  const chosen = name !== undefined && Object.hasOwn(config.environments, name) ? config.environments[name] : undefined;
  const nothing = compileAllowlist([]);
  if (name === undefined || !chosen) {
    const known = Object.keys(config.environments).join(", ") || "none is configured";
    const got = name === undefined || name === "" ? "nothing" : `"${name.slice(0, 80)}"`;
    const refusal: Refusal = {
      code: "ENVIRONMENT_UNKNOWN",
      message: `Expected \`environment\` to be one of the configured ones (${known}), got ${got}; nothing leaves.`,
      fix: "Set the variable that `environment` reads, or add this environment to `environments`.",
    };
    return {
      name: name || "(unset)",
      mode: "test",
      why: "the environment is unset or unknown",
      allow: nothing,
      notAllowed: { kind: "refuse" },
      closed: [refusal],
    };
  }
  const base = {
    name,
    mode: chosen.mode,
    why: `\`environments.${name}\` says so`,
    allow: nothing,
    notAllowed: { kind: "refuse" } as NotAllowed,
  };
  if (chosen.mode === "test")
    return {
      ...base,
      allow: compileAllowlist(chosen.allow ?? [], { key: `environments.${name}.allow` }),
      notAllowed: resolveNotAllowed(chosen.onNotAllowed),
      closed: [],
    };
  if (chosen.mode === "observe") return { ...base, closed: [] };
  const against = contradictions(config.env ?? {}, config.live?.despite ?? []);
  return { ...base, closed: against.map(contradicted) };
}

function contradicted(marker: string): Refusal {
  return {
    code: "ENVIRONMENT_CONTRADICTED",
    message: `Expected no marker against a live environment, got ${marker} in the environment variables.`,
    fix: `If this really is production, waive it by name: live: { despite: ["${marker}"] }.`,
  };
}

function resolveNotAllowed(config: OnNotAllowed | undefined): NotAllowed {
  if (config === undefined) return { kind: "refuse" };
  if (typeof config === "string") return { kind: config };
  const to = parseAddress(config.redirectTo, "onNotAllowed.redirectTo");
  if ("code" in to) throw new MailfuseError({ ...to, code: "CONFIG_INVALID" });
  return { kind: "redirect", to, cap: resolvePersonCap(config.cap ?? { messages: 100, per: "1h" }) };
}

/** Where an environment is live, every policy needs a window: without one nothing bounds a loop. */
function missingCaps(config: FuseConfig): Refusal[] {
  const live = Object.entries(config.environments).find(([, environment]) => environment.mode === "live");
  if (!live) return [];
  const policies: [string, DefaultsConfig][] = Object.entries(config.purposes ?? {}).map(([name, purpose]) => [
    `purposes.${name}`,
    purpose,
  ]);
  policies.push(["defaults", config.defaults ?? {}]);
  return policies
    .filter(([, policy]) => !policy.caps?.some((cap) => cap.per !== "message" && cap.per !== "call"))
    .map(([key, policy]) => ({
      code: "CONFIG_INVALID" as const,
      message: `Expected \`${key}.caps\` to hold a cap over a window of time, since \`environments.${live[0]}\` is live, got ${policy.caps?.length ? "only caps per message or call" : "none"}.`,
      fix: `Add one, for example caps: [{ people: 100, per: "1h" }]; \`npx mailfuse suggest\` derives it from what left so far.`,
      where: `${key}.caps`,
    }));
}

function unknownMarkers(config: FuseConfig): Refusal[] {
  const unknown = (config.live?.despite ?? []).filter((name) => !markerNames.includes(name));
  return unknown.map((name) => ({
    code: "CONFIG_INVALID" as const,
    message: `Expected \`live.despite\` to name markers there are (${markerNames.join(", ")}), got ${JSON.stringify(name)}.`,
    fix: "Correct its spelling or remove it.",
    where: "live.despite",
  }));
}
