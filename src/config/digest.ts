/**
 * One digest over a whole policy: plans are bound to it, and two fuses compare by it.
 *
 * @module
 */
import { hash } from "node:crypto";
import { canonical } from "../canonical";
import type { FuseConfig } from "../config";

/**
 * SHA-256 over everything that decides what may leave. Of functions and schemas only their presence
 * counts: what they do cannot be compared.
 */
export function policyDigest(config: FuseConfig): string {
  const {
    environment,
    environments,
    live,
    purposes,
    defaults,
    caps,
    internal,
    lists,
    audiences,
    allowSystemMail,
    unattached,
    approvers,
    requesters,
  } = config;
  const policy = {
    environment,
    environments,
    live,
    purposes,
    defaults,
    caps,
    internal,
    lists,
    audiences,
    allowSystemMail,
    unattached,
    approvers: rolesOf(approvers),
    requesters,
  };
  const plain = JSON.parse(JSON.stringify(policy, comparable)) as unknown;
  return hash("sha256", canonical(plain), "base64url");
}

/** Without keys: a key that is added or taken away while a plan waits counts at once, and ends no plan. */
function rolesOf(approvers: FuseConfig["approvers"] = {}) {
  return Object.fromEntries(Object.entries(approvers).map(([name, { roles }]) => [name, roles ?? []]));
}

function comparable(_key: string, value: unknown): unknown {
  if (value instanceof RegExp) return String(value);
  if (typeof value === "function") return "function";
  return typeof value === "object" && value !== null && "~standard" in value ? "schema" : value;
}
