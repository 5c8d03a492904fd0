/**
 * People of the configuration, each once: whoever has two names, or shares a key, would confirm twice
 * or confirm what they asked for.
 *
 * @module
 */
import type { FuseConfig } from "../config";
import type { Refusal } from "../errors";
import { foldName } from "../principals";

/** Mistakes among approvers and requesters. */
export function doublePeople({ approvers = {}, requesters = [] }: FuseConfig): Refusal[] {
  const problems: Refusal[] = [];
  const names = new Map<string, string>();
  for (const name of [...Object.keys(approvers), ...requesters]) {
    const known = names.get(foldName(name));
    if (known === undefined) names.set(foldName(name), name);
    else if (known !== name) problems.push(oneName(known, name));
  }
  const keys = new Map<string, string>();
  for (const [name, { publicKey, passkeys = [] }] of Object.entries(approvers)) {
    for (const key of [...[publicKey ?? []].flat(), ...passkeys.map(({ id }) => `passkey ${id}`)]) {
      const known = keys.get(key);
      if (known !== undefined && known !== name) problems.push(oneKey(known, name));
      keys.set(key, name);
    }
  }
  return problems;
}

function oneName(a: string, b: string): Refusal {
  return {
    code: "CONFIG_INVALID",
    message: `Expected every person of \`approvers\` and \`requesters\` once, got "${a}" and "${b}", which differ only in case, dots or dashes.`,
    fix: "Use one spelling, or names that tell two people apart.",
    where: "approvers",
  };
}

function oneKey(a: string, b: string): Refusal {
  return {
    code: "CONFIG_INVALID",
    message: `Expected every approver to have keys of their own, got one key for "${a}" and "${b}".`,
    fix: "Have each make a key with `npx mailfuse keys new`; several keys of one person go into a list.",
    where: "approvers",
  };
}
