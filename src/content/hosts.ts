/**
 * The hosts that a mail links to, and what their names give away.
 *
 * @module
 */
import type { Places } from "./places";

// A host ends at the first sign that cannot stand in one; bounded by the length of a name.
const inText = /https?:\/\/(?:[^\s/?#"'<>()@]{0,100}@)?([^\s/?#"'<>()@\\]{1,255})/gi;
const inLink = /^\s*(?:https?:)?\/\/(?:[^/?#@]{0,100}@)?([^/?#\\]{1,255})/i;
const inMailto = /^\s*mailto:[^?@]{0,100}@([^?,;]{1,255})/i;

/** How many different hosts are looked at. No mail links to so many. */
const most = 1_000;

/** The distinct hosts of links in attributes and texts, lower-case, without port. */
export function linkedHosts(places: Places): ReadonlySet<string> {
  const hosts = new Set<string>();
  for (const { name, value } of places.attributes) {
    if (name === "" || name === "alt" || name === "title") continue;
    const host = inLink.exec(value)?.[1] ?? inMailto.exec(value)?.[1];
    if (host && hosts.size < most) hosts.add(plain(host));
  }
  for (const { text } of places.texts) {
    if (!text.includes("://")) continue;
    for (const [, host] of text.matchAll(inText)) {
      if (hosts.size >= most) break;
      if (host) hosts.add(plain(host));
    }
  }
  return hosts;
}

const alreadyPlain = /^[a-z0-9.-]*[a-z0-9]$/;

function plain(host: string): string {
  if (alreadyPlain.test(host)) return host;
  return host
    .trim()
    .toLowerCase()
    .replace(/:\d{0,5}$/, "")
    .replace(/[.,;:!]+$/, "");
}

/** Whether `host` is one of `domains` or lies below one. */
export function within(host: string, domains: Iterable<string>): boolean {
  for (const domain of domains) if (host === domain || host.endsWith(`.${domain}`)) return true;
  return false;
}

/** The part of a host that somebody registered, as far as can be told without a list of suffixes. */
function baseDomain(host: string): string {
  const labels = host.split(".");
  const short = (labels.at(-1)?.length ?? 0) === 2 && (labels.at(-2)?.length ?? 9) <= 3;
  return labels.slice(short ? -3 : -2).join(".");
}

// RFC 2606 and RFC 6761, and the addresses that templates are shipped with.
const reserved = ["example.com", "example.net", "example.org", "example.edu", "example", "test", "invalid"];
const fillers = [
  "placehold.it",
  "placehold.co",
  "via.placeholder.com",
  "placeholder.com",
  "placekitten.com",
  "lorempixel.com",
  "dummyimage.com",
  "picsum.photos",
];
const yours = /(?:^|\.)(?:your|my)-?(?:domain|site|website|company|app|link)\.(?:com|net|org|io)$/;

/** What a host's name gives away. */
interface Reading {
  /** It exists only in examples. */
  readonly example: boolean;
  /** It is of staging or development, whoever's it is. */
  readonly staging: boolean;
  /** It is so if it is one's own. */
  readonly stagingIfOwn: boolean;
  readonly base: string;
}

// The same few hosts stand in every mail. Bounded, and begun anew when full, so that hosts made up
// for each mail cost what they cost without it.
const readings = new Map<string, Reading>();
const mostReadings = 1_000;

function readingOf(host: string): Reading {
  const known = readings.get(host);
  if (known) return known;
  if (readings.size >= mostReadings) readings.clear();
  const reading = readHost(host);
  readings.set(host, reading);
  return reading;
}

/** Whether a host exists only in examples. */
export function isExampleHost(host: string): boolean {
  return readingOf(host).example;
}

/** {@link baseDomain}, for hosts that come again and again. */
export function knownBase(host: string): string {
  return readingOf(host).base;
}

/** RFC 1918 and its like, and names that only a local network knows. */
function isLocalHost(host: string): boolean {
  if (within(host, ["localhost", "local", "localdomain", "internal", "lan", "home.arpa"])) return true;
  return (
    /^(?:127|10)(?:\.\d{1,3}){3}$|^192\.168(?:\.\d{1,3}){2}$|^172\.(?:1[6-9]|2\d|3[01])(?:\.\d{1,3}){2}$|^169\.254(?:\.\d{1,3}){2}$|^0\.0\.0\.0$/.test(
      host,
    ) || /^\[(?:::1|f[cd]|fe80)/.test(host)
  );
}

// Tunnels to a developer's machine, and development machines in the cloud.
const tunnels = [
  "ngrok.io",
  "ngrok.app",
  "ngrok.dev",
  "ngrok-free.app",
  "ngrok-free.dev",
  "trycloudflare.com",
  "loca.lt",
  "serveo.net",
  "gitpod.io",
  "app.github.dev",
  "githubpreview.dev",
  "csb.app",
  "webcontainer.io",
];
// Where a deployment's name is the only thing that tells it from production.
const platforms = [
  "vercel.app",
  "netlify.app",
  "herokuapp.com",
  "onrender.com",
  "fly.dev",
  "pages.dev",
  "web.app",
  "firebaseapp.com",
  "azurewebsites.net",
  "up.railway.app",
  "amplifyapp.com",
  "run.app",
];
const strong = /(?:^|-)(?:staging|stg|pre-?prod|uat)\d{0,3}(?:-|$)/;
const soft = /(?:^|-)(?:dev|develop|development|test|testing|qa|stage|preview|sandbox|int)\d{0,3}(?:-|$)/;

/**
 * Whether a host is a staging or development one. Words that others use in public host names
 * (`dev`, `test`, `preview`) count on one's own domains and on hosting platforms only.
 */
export function isStagingHost(host: string, own: ReadonlySet<string>): boolean {
  const { staging, stagingIfOwn, base } = readingOf(host);
  return staging || (stagingIfOwn && own.has(base));
}

function readHost(host: string): Reading {
  const platform = within(host, platforms);
  const base = baseDomain(host);
  const labels = host.slice(0, Math.max(0, host.length - base.length)).split(".");
  const softly = labels.some((label) => soft.test(label));
  return {
    example: within(host, reserved) || within(host, fillers) || yours.test(host),
    staging:
      isLocalHost(host) ||
      within(host, tunnels) ||
      (platform && (softly || /-git-|^deploy-preview-|--/.test(host))) ||
      labels.some((label) => strong.test(label)) ||
      strong.test(base.split(".")[0] ?? ""),
    stagingIfOwn: softly,
    base,
  };
}
