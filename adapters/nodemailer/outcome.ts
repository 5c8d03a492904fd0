/**
 * What became of a mail, read from what a transport answered.
 *
 * @module
 */
import type { Fate, Outcome } from "../../src/adapter";
import type { MailCopy } from "./copy";
import type { TransportKind } from "./shapes";

type People = Map<string, { readonly fate: Fate }>;

/** Reads the outcome of a resolved send. SMTP tells recipients apart; the others accept or fail whole. */
export function readResult(result: unknown, copy: MailCopy): Outcome {
  const info = (typeof result === "object" && result !== null ? result : {}) as Record<string, unknown>;
  const id = info.messageId;
  const messageId = typeof id === "string" && id !== "" ? { messageId: id } : {};
  const accepted = addressesIn(info.accepted);
  const refused = addressesIn(info.rejected);
  if (accepted.length + refused.length === 0) return { fate: "accepted", ...messageId };
  const people: People = new Map();
  mark(people, refused, "refused", copy);
  // Two spellings of one person: accepted under one of them is accepted.
  mark(people, accepted, "accepted", copy);
  return { fate: accepted.length > 0 ? "accepted" : "refused", ...messageId, people };
}

/**
 * Reads the outcome of a failed send. A server's reply of 4xx or 5xx is a definite refusal, the one
 * to the final dot included (RFC 5321, 4.2.1). Without a reply, nothing arrived as long as no
 * transport had begun to read the text; after that, nobody knows.
 */
export function readError(error: unknown, copy: MailCopy, textRead: boolean): Outcome {
  const shape = (typeof error === "object" && error !== null ? error : {}) as Record<string, unknown>;
  const status = statusOf(shape, copy.kind);
  const providerCode = codeOf(shape, status);
  const code = providerCode === "" ? {} : { providerCode };
  if (status !== undefined && isDefinite(status, copy.kind) && !(textRead && isBroken(shape))) {
    // A refused login or greeting says nothing of the people.
    if (!namesMail(shape)) return { fate: "refused", ...code };
    const people: People = new Map();
    mark(people, copy.envelope.to, "refused", copy);
    return { fate: "refused", ...code, people };
  }
  const sent = reachesNetworkOnRead(copy.kind) ? textRead : !neverConnected(shape);
  return { fate: sent ? "unknown" : "failed", ...code };
}

function mark(people: People, addresses: readonly string[], fate: Fate, copy: MailCopy): void {
  for (const address of addresses) people.set(copy.envelope.people.get(address) ?? address.toLowerCase(), { fate });
}

function addressesIn(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((entry) => {
    const address = typeof entry === "string" ? entry : (entry as { address?: unknown } | null)?.address;
    return typeof address === "string" ? [address] : [];
  });
}

/** Transports that read the text only once a server, or a program, waits for it. */
function reachesNetworkOnRead(kind: TransportKind): boolean {
  return kind === "smtp" || kind === "pool" || kind === "sendmail" || kind === "stream" || kind === "json";
}

/**
 * The status that a server answered with. Third parties' transports are not asked: some report 400
 * for a connection that broke, and the mail may have arrived.
 */
function statusOf(error: Record<string, unknown>, kind: TransportKind): number | undefined {
  if (kind === "smtp" || kind === "pool") return number(error.responseCode);
  if (kind !== "ses") return undefined;
  return number((error.$metadata as { httpStatusCode?: unknown } | undefined)?.httpStatusCode);
}

/** Whether a server answered the mail itself: its sender, its recipients or its text. */
function namesMail(error: Record<string, unknown>): boolean {
  return error.code === "EENVELOPE" || error.code === "EMESSAGE" || error.$metadata !== undefined;
}

/** Whether the connection ended, so that a status may belong to something else. */
function isBroken(error: Record<string, unknown>): boolean {
  return (
    error.code === "ECONNECTION" || error.code === "ESOCKET" || error.code === "ETIMEDOUT" || error.code === "EPROTOCOL"
  );
}

/** Over HTTP, a 408 or 5xx may come from a proxy after the provider has taken the mail. */
function isDefinite(status: number, kind: TransportKind): boolean {
  if (kind === "smtp" || kind === "pool") return status >= 400 && status < 600;
  return status >= 400 && status < 500 && status !== 408 && status !== 409;
}

const beforeConnecting = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "EDNS"]);

function neverConnected(error: Record<string, unknown>): boolean {
  const cause = error.cause as { code?: unknown } | undefined;
  return beforeConnecting.has(String(error.code)) || beforeConnecting.has(String(cause?.code));
}

function number(value: unknown): number | undefined {
  return typeof value === "number" && Number.isInteger(value) ? value : undefined;
}

/** A code and a status; never the reply's text, which repeats addresses. */
function codeOf(error: Record<string, unknown>, status: number | undefined): string {
  const code = typeof error.code === "string" ? error.code : typeof error.name === "string" ? error.name : "";
  const safe = /^[\w.-]{1,60}$/.test(code) ? code : "";
  return [safe, status].filter((part) => part !== undefined && part !== "").join(" ");
}
