/**
 * What the egress lock refuses, and what it was told to let through.
 *
 * @module
 */
import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import { MailfuseError } from "../errors";
import { hostMatches, isMailHost, isMailRequest, submissionPorts } from "./hosts";

/** A host, or a port of it, that the lock lets through. */
export interface Allowed {
  /** A name, a pattern `*.example.com`, an address, or `loopback` for this machine. */
  readonly host: string;
  readonly port?: number;
}

/** Where a connection or a request goes, as far as it is known. */
export interface Destination {
  readonly host?: string | undefined;
  /** A second name of the same place: nodemailer looks names up itself and connects to an address. */
  readonly alias?: string | undefined;
  readonly port?: number | undefined;
  /** Of an HTTP request. */
  readonly path?: string | undefined;
}

/** Reads `"relay.example:587"`, `"*.example"`, `"[::1]:25"`, `"loopback"`. Throws `CONFIG_INVALID`. */
export function parseAllowed(entry: string): Allowed {
  const match = /^(\*\.[^\s:*[\]/@]+|[^\s:*[\]/@]+|\[[\da-f:.%]+\])(?::(\d{1,5}))?$/i.exec(entry);
  const port = match?.[2] === undefined ? undefined : Number(match[2]);
  const host = match?.[1] === undefined ? "" : normalHost(match[1]);
  const bare = isIP(entry) === 6 ? normalHost(entry) : host;
  if (bare === "" || (port !== undefined && (port < 1 || port > 65_535))) throw invalid(entry);
  return port === undefined ? { host: bare } : { host: bare, port };
}

/** Why this destination needs a fuse; `undefined` when it does not, or is let through. */
export function reasonToRefuse(to: Destination, allowed: readonly Allowed[]): string | undefined {
  const hosts = [to.host, to.alias].filter((host) => host !== undefined).map(normalHost);
  if (hosts.some((host) => allowed.some((entry) => covers(entry, host, to.port)))) return undefined;
  const provider = hosts.find((host) => isMailRequest(host, to.path));
  if (provider !== undefined) return `a request to the mail provider ${provider}`;
  if (to.path === undefined && to.port !== undefined && submissionPorts.has(to.port)) {
    return `a connection to the mail submission port ${to.port}`;
  }
  return undefined;
}

/** Whether a TLS name or a tunnel's target names a mail provider that is not let through. */
export function namesProvider(name: string, allowed: readonly Allowed[]): string | undefined {
  const host = normalHost(name);
  if (!isMailHost(host) || allowed.some((entry) => hostCovers(entry.host, host))) return undefined;
  return `a TLS connection to the mail provider ${host}`;
}

/** Whether a host is this machine. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost") || host === "::1" || /^(?:::ffff:)?127\./.test(host);
}

/** Lower case, as an A-label, without brackets, zone and trailing dot. */
export function normalHost(host: string): string {
  const bare = host.startsWith("[") ? host.slice(1, -1) : host;
  if (isIP(bare) !== 0) return bare.toLowerCase().replace(/%.*$/, "");
  // Names are looked up as A-labels, so a full-width spelling reaches the same host.
  const ascii = /^[\x21-\x7e]*$/.test(bare) ? bare : domainToASCII(bare) || bare;
  return ascii.toLowerCase().replace(/\.+$/, "");
}

/** Splits `host:port` as it stands in a Host header or a CONNECT line. */
export function splitAuthority(authority: string): Destination {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(authority.trim());
  return match ? { host: match[1], port: match[2] === undefined ? undefined : Number(match[2]) } : { host: authority };
}

function covers(entry: Allowed, host: string, port: number | undefined): boolean {
  return (entry.port === undefined || entry.port === port) && hostCovers(entry.host, host);
}

function hostCovers(entry: string, host: string): boolean {
  return entry === "loopback" ? isLoopback(host) : hostMatches(entry, host);
}

function invalid(entry: string): MailfuseError {
  const got = entry.includes("@") ? "one with an @ (not shown)" : `"${entry.slice(0, 80)}"`;
  return new MailfuseError({
    code: "CONFIG_INVALID",
    message: `Expected entries of the lock's \`allow\` such as "relay.example:587", "*.example" or "loopback", got ${got}.`,
    fix: "Name each host by itself; a lock that lets everything through is none.",
  });
}
