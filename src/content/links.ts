/**
 * Links that lead to another environment than the mail's: a customer sent to staging, a tester
 * whose click changes production.
 *
 * @module
 */
import { isStagingHost, knownBase, within } from "./hosts";
import type { Finding } from "./places";

/** Hosts of one's own, as declared. */
export interface OwnHosts {
  readonly production: readonly string[];
  readonly staging: readonly string[];
}

/** Looks for links to staging, development and local hosts. */
export function findStagingLinks(
  hosts: ReadonlySet<string>,
  own: OwnHosts,
  sender: string | undefined,
): Finding | undefined {
  if (hosts.size === 0) return undefined;
  const bases = new Set(own.production.map(knownBase));
  const domain = sender?.slice(sender.lastIndexOf("@") + 1).toLowerCase();
  if (domain) bases.add(knownBase(domain));
  for (const host of hosts) {
    if (own.production.includes(host)) continue;
    if (within(host, own.staging) || isStagingHost(host, bases))
      return { got: "a link to a staging, development or local host" };
  }
  return undefined;
}

/** Looks for links to the declared production hosts. A staging host below one of them is none. */
export function findProductionLinks(hosts: ReadonlySet<string>, own: OwnHosts): Finding | undefined {
  const bases = new Set(own.production.map(knownBase));
  for (const host of hosts) {
    if (!within(host, own.production) || within(host, own.staging)) continue;
    if (own.production.includes(host) || !isStagingHost(host, bases)) return { got: "a link to a production host" };
  }
  return undefined;
}
