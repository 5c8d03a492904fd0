/**
 * Would this address get mail here, and why not: the guards that look at people are asked about a
 * mail to it that is never made. Content, claims and your own guards are not asked: they judge a
 * mail, not an address.
 *
 * @module
 */
import { createMessage, parseAddress, type Recipient } from "./adapter";
import type { Core } from "./core";
import type { Refusal } from "./errors";
import { capsGuard } from "./guards/caps";
import { environmentGuard } from "./guards/environment";
import { haltGuard } from "./guards/halt";
import { recipientsGuard } from "./guards/recipients";
import { knownPurpose } from "./purposes";
import { Judged } from "./send";
import { suppressedAmong, suppressedRefusal } from "./suppression";

/** What `fuse.check` is asked. */
export interface CheckRequest {
  /** As a mail of this purpose; without it, as mail that names none. */
  readonly purpose?: string;
}

/** The answer about one address. */
export interface AddressCheck {
  /** As it was given. */
  readonly address: string;
  /** What would become of a mail to it now. */
  readonly gets: "mail" | "nothing" | "redirected" | "dropped" | "captured";
  /** Why it gets nothing; in observe mode, why live would refuse it. */
  readonly reasons: readonly Refusal[];
}

/** Checks addresses one by one: each answer is about a mail to that address alone. */
export async function checkAddresses(
  core: Core,
  addresses: readonly string[],
  request: CheckRequest,
): Promise<readonly AddressCheck[]> {
  await core.ready();
  const answers: AddressCheck[] = [];
  for (const address of addresses) answers.push(await checkAddress(core, address, request));
  return answers;
}

async function checkAddress(core: Core, given: string, request: CheckRequest): Promise<AddressCheck> {
  const parsed = parseAddress(given, "address");
  if ("code" in parsed) return { address: given, gets: "nothing", reasons: [parsed] };
  const send = judged(core, { field: "to", ...parsed }, request);
  for (const guard of guardsOf(core)) await guard(send, async () => ({ status: "refused" }));
  const reasons = [
    ...send.refusals,
    ...(await fullCaps(core, send)),
    ...(await suppressed(core, send, parsed.address)),
  ];
  const stops = send.mode === "observe" ? reasons.filter(({ code }) => code === "HALTED") : reasons;
  if (stops.length > 0) return { address: given, gets: "nothing", reasons };
  const { diversion } = send;
  const gets = diversion
    ? ({ drop: "dropped", capture: "captured", redirect: "redirected" } as const)[diversion.kind]
    : "mail";
  return { address: given, gets, reasons };
}

/** The guards that judge people, as the exit makes them. */
function guardsOf(core: Core) {
  const { settings } = core;
  return [
    haltGuard({ scopes: core.haltedScopes, refresh: () => core.refreshHalts() }),
    recipientsGuard(settings),
    environmentGuard(settings.environment),
    capsGuard({ caps: settings.caps }),
  ];
}

function judged(core: Core, recipient: Recipient, request: CheckRequest): Judged {
  const { settings } = core;
  const { purposes } = settings;
  const purpose = request.purpose === undefined ? purposes.fallback : knownPurpose(purposes, request.purpose);
  return new Judged({
    id: "check",
    environment: settings.environment.name,
    mode: settings.environment.mode,
    provider: "check",
    account: undefined,
    // As in a release: whether bulk mail needs a plan is no question about an address.
    stage: purpose.kind === "bulk" ? "release" : "single",
    intent: { kind: "send", messages: [createMessage({ recipients: [recipient], content: () => ({}) })], problems: [] },
    context: {},
    at: core.clock.now(),
    redirectedTo: undefined,
    purpose,
    purposes: settings.purposes,
    audiences: settings.audiences,
    namings: core.secrets.namings,
    warn: () => {},
  });
}

/** Caps without room for one more. Whether this person is among those already reached, nobody can look up. */
async function fullCaps(core: Core, send: Judged): Promise<readonly Refusal[]> {
  const spends = send.spends.filter((spend) => "cap" in spend);
  const used = await core.store.usage(spends.map(({ cap }) => ({ key: cap.key, windowMs: cap.windowMs })));
  return spends.flatMap(({ cap, explain }, index) => {
    const held = used[index] ?? 0;
    const wanted = cap.people.length;
    return held + wanted > cap.limit ? [explain({ limit: cap.limit, used: held, wanted })] : [];
  });
}

/** Bulk mail is not sent to people who do not want it; other mail does not ask. */
async function suppressed(core: Core, send: Judged, address: string): Promise<readonly Refusal[]> {
  const { isSuppressed } = core.settings;
  if (!isSuppressed || send.parts.every(({ purpose }) => purpose.kind !== "bulk")) return [];
  return (await suppressedAmong(isSuppressed, [address])).has(address.toLowerCase()) ? [suppressedRefusal] : [];
}
