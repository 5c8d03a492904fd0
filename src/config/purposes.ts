/**
 * Fills in a purpose's defaults and compiles its patterns.
 *
 * @module
 */
import { compileAllowlist } from "../allowlist";
import { parseDuration } from "../clock";
import type {
  CapConfig,
  ClaimConfig,
  ConfirmConfig,
  ContentConfig,
  DefaultsConfig,
  MatchConfig,
  PersonCapConfig,
  PurposeConfig,
} from "../config";
import {
  type Cap,
  type Claim,
  type Confirmation,
  type ContentPolicy,
  type PersonCap,
  type Purpose,
  type PurposeMatch,
  undeclared,
} from "../purpose";

export function resolvePurpose(name: string, config: PurposeConfig): Purpose {
  return {
    name,
    declared: true,
    kind: config.kind,
    match: [config.match ?? []].flat().map(resolveMatch),
    ...(config.claim ? { claim: resolveClaim(config.claim) } : {}),
    ...resolvePolicy(config, config.kind, Number.POSITIVE_INFINITY),
  };
}

export function resolveFallback(config: DefaultsConfig): Purpose {
  return { name: undeclared, declared: false, kind: "stream", match: [], ...resolvePolicy(config, "stream", 25) };
}

function resolvePolicy(config: DefaultsConfig, kind: "stream" | "bulk", abovePeople: number) {
  return {
    caps: (config.caps ?? []).map(resolveCap),
    perPerson: (config.perPerson ?? []).map(resolvePersonCap),
    confirm: resolveConfirm(config.confirm ?? {}, abovePeople),
    maxVisible: config.maxVisible ?? (kind === "bulk" ? 1 : 10),
    onUnknown: config.onUnknown ?? (kind === "bulk" ? "hold" : "resend"),
    ...(config.freshness
      ? { freshness: { maxAgeMs: ms(config.freshness.maxAge), required: config.freshness.required ?? false } }
      : {}),
    content: resolveContent(config.content ?? {}),
    ...(config.duplicateWindow ? { duplicateWindowMs: ms(config.duplicateWindow) } : {}),
  } as const;
}

function resolveConfirm(config: ConfirmConfig, abovePeople: number): Confirmation {
  return {
    approvals: config.approvals ?? 1,
    roles: config.roles ?? [],
    abovePeople: config.abovePeople ?? abovePeople,
    stepUp: (config.stepUp ?? []).map((step) => ({
      abovePeople: step.abovePeople,
      approvals: step.approvals ?? config.approvals ?? 1,
      roles: step.roles ?? config.roles ?? [],
    })),
  };
}

export function resolveCap(cap: CapConfig): Cap {
  const fixed = cap.per === "message" || cap.per === "call";
  return {
    people: cap.people,
    per: fixed ? (cap.per as "message" | "call") : "window",
    windowMs: fixed ? 0 : ms(cap.per),
    onExceeded: cap.onExceeded ?? "refuse",
  };
}

export function resolvePersonCap(cap: PersonCapConfig): PersonCap {
  return { messages: cap.messages, windowMs: ms(cap.per) };
}

function resolveMatch(config: MatchConfig): PurposeMatch {
  return {
    ...(config.tag === undefined ? {} : { tag: config.tag }),
    ...(config.template === undefined ? {} : { template: config.template }),
    // A copy without `g` and `y`: those remember where they stopped, and would match every other mail.
    ...(config.subject === undefined ? {} : { subject: subjectPattern(config.subject) }),
    ...(config.from === undefined
      ? {}
      : { from: compileAllowlist([config.from], { key: "match.from", anyDomain: true }) }),
  };
}

function subjectPattern(subject: RegExp | string): RegExp {
  if (typeof subject !== "string") return new RegExp(subject.source, subject.flags.replace(/[gy]/g, ""));
  return new RegExp(subject.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "i");
}

/** How many people may get one personal text when nothing is said: a couple, and one who was mailed twice. */
const personalPeople = 3;

function resolveContent(config: ContentConfig): ContentPolicy {
  const { personal, links, ...levels } = config;
  return {
    levels,
    ...(personal ? { personal: { people: personal === true ? personalPeople : personal.people } } : {}),
    links: { production: links?.production ?? [], staging: links?.staging ?? [] },
  };
}

function ms(duration: string): number {
  return parseDuration(duration) as number;
}

function resolveClaim(config: ClaimConfig): Claim {
  return {
    data: config.data,
    ...(config.verify ? { verify: config.verify } : {}),
    ...(config.verifyMany ? { verifyMany: config.verifyMany } : {}),
    ...(config.subject ? { subject: config.subject } : {}),
    timeoutMs: ms(config.timeout ?? "5s"),
    ...(config.haltAfter
      ? {
          haltAfter: {
            failures: config.haltAfter.failures,
            percent: config.haltAfter.percent ?? 0,
            windowMs: ms(config.haltAfter.per),
          },
        }
      : {}),
    looksLike: [config.looksLike ?? []].flat().map(resolveMatch),
  };
}
