/**
 * Says what a fuse does, as data and as one sentence: mode, environment, why, and what is let
 * through. A wrong environment should be seen at start-up, not in the mailboxes.
 *
 * @module
 */
import { type AllowlistDescription, allowText } from "./allowlist";
import type { Core } from "./core";
import type { Mode } from "./guard";
import type { Cap } from "./purpose";
import type { StoreFacts } from "./store";

/** What `fuse.describe()` returns. */
export interface Description {
  readonly environment: string;
  readonly mode: Mode;
  readonly why: string;
  /** What leaves, in one sentence. */
  readonly letsThrough: string;
  /** Codes of reasons for which nothing leaves at all; empty when mail may leave. */
  readonly closed: readonly string[];
  readonly allow: AllowlistDescription;
  readonly purposes: readonly {
    readonly name: string;
    readonly kind: "stream" | "bulk";
    readonly caps: readonly string[];
  }[];
  readonly caps: readonly string[];
  /** Attached clients by name. */
  readonly clients: readonly string[];
  /** What the store promises; `undefined` until it was opened by the first send. */
  readonly store: StoreFacts | undefined;
  readonly policyDigest: string;
}

/** Describes a fuse. */
export function describe(core: Core): Description {
  const { environment, purposes, caps, policyDigest } = core.settings;
  return {
    environment: environment.name,
    mode: environment.mode,
    why: environment.why,
    letsThrough: letsThrough(core),
    closed: environment.closed.map((refusal) => refusal.code),
    allow: environment.allow.describe(),
    purposes: purposes.names().map((name) => {
      const purpose = purposes.get(name);
      return { name, kind: purpose?.kind ?? "stream", caps: (purpose?.caps ?? []).map(capText) };
    }),
    caps: caps.map(capText),
    clients: [...core.held.keys()],
    store: core.facts,
    policyDigest,
  };
}

/** The start-up line. */
export function sentence(core: Core): string {
  const { environment } = core.settings;
  return `${environment.mode} mode in "${environment.name}", because ${environment.why}: ${letsThrough(core)}`;
}

function letsThrough(core: Core): string {
  const { environment } = core.settings;
  const [closed] = environment.closed;
  if (closed) return `nothing leaves. ${closed.message}`;
  if (environment.mode === "live") return "mail leaves within the caps of its purpose";
  if (environment.mode === "observe")
    return "everything leaves but halted and unconfirmed bulk mail; what live would refuse is logged";
  const allow = environment.allow.describe();
  const instead = { refuse: "refused", drop: "dropped", capture: "captured", redirect: "redirected" }[
    environment.notAllowed.kind
  ];
  if (allow.everything) return 'the allowlist is "*": everything leaves';
  if (allow.wildcards.length + allow.people === 0)
    return `the allowlist is empty: nothing leaves, other mail is ${instead}`;
  return `only ${allowText(allow)} get mail, other mail is ${instead}`;
}

function capText(cap: Cap): string {
  return `${cap.people} people per ${cap.per === "window" ? `${cap.windowMs / 1000} s` : cap.per}`;
}
