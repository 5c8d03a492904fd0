/**
 * Reads an incident from the ledger. It needs the store and the secret and nothing of the process
 * that made the mistake: neither its clients, nor its purposes, nor its life.
 *
 * @module
 */
import { parseAddress } from "../address";
import type { Core } from "../core";
import { MailfuseError } from "../errors";
import { suppressedAmong } from "../suppression";
import { makeCorrection } from "./correction";
import type {
  CorrectionPerson,
  Incident,
  IncidentData,
  IncidentOptions,
  IncidentPeople,
  IncidentScope,
} from "./incident";
import { writeDrafts } from "./incident/drafts";
import { Gathering, type GatherScope, standing } from "./incident/gather";
import { toHtml } from "./incident/html";
import { audienceOf, type Judgement, judgePeople } from "./incident/judge";
import { toMarkdown } from "./incident/markdown";
import { readScope, unknownIncident } from "./incident/scope";
import { numberBefore, readLines } from "./lines";

/** Calls without an outcome this young are probably still at work. */
const underWayMs = 2 * 60_000;
/** Addresses asked about at once whether they are suppressed. */
const suppressionBatch = 500;

/** See `Fuse.incident`. */
export async function openIncident(core: Core, scope: IncidentScope, options: IncidentOptions): Promise<Incident> {
  await core.ready();
  const readAt = await core.store.now();
  const wanted = await readScope(core, scope, options.environment, readAt);
  const gathering = new Gathering(wanted.lines);
  const cutOff = await gather(core, gathering, wanted.lines, options);
  if (!gathering.found) throw unknownIncident();
  const { pending } = gathering;
  gathering.finish();
  const { firstSend, lastSend } = gathering;
  const from = firstSend ?? Math.max(0, wanted.lines.from);
  const to = lastSend ?? Math.min(readAt, wanted.lines.to);
  const judgement = await judgePeople(core, gathering.people, from, to, options.right);
  const audience = () => audienceOf(core, judgement, from, to);
  const correction = await countCorrection(core, judgement, audience);
  const stop = gathering.stop();
  const known = {
    purpose: wanted.lines.purpose,
    people: countPeople(gathering, judgement, wanted.notSent),
    ...(firstSend === undefined ? {} : { firstSend }),
    ...(lastSend === undefined ? {} : { lastSend }),
    ...(stop ? { stop } : {}),
    waiting: wanted.waiting,
  };
  const data: IncidentData = {
    id: wanted.id,
    environment: wanted.lines.environment,
    ...(wanted.lines.plan === undefined ? {} : { plan: wanted.lines.plan }),
    ...known,
    from,
    to,
    readAt,
    calls: gathering.calls,
    timeline: gathering.timeline(),
    steps: gathering.steps.all(),
    reasons: gathering.reasons,
    correction,
    warnings: warnings(judgement, gathering, {
      pending: pending > 0 && readAt - (lastSend ?? 0) < underWayMs ? pending : 0,
      cutOff,
    }),
    drafts: writeDrafts(known),
  };
  return {
    data,
    markdown: () => toMarkdown(data),
    html: () => toHtml(data),
    fateOf: (address) => fateOf(core, gathering, address),
    audience: () => all(audience()),
    unsubscribed: () => unsubscribed(core, audience()),
    correction: (request) => makeCorrection(core, { data, judgement, audience }, request),
  };
}

/** Reads the lines; resolves to whether older ones that could belong to it are gone. */
async function gather(
  core: Core,
  gathering: Gathering,
  scope: GatherScope,
  options: IncidentOptions,
): Promise<boolean> {
  let lines = 0;
  for await (const batch of readLines(core.store, await numberBefore(core.store, scope.from))) {
    for (const line of batch) gathering.add(line);
    lines += batch.length;
    options.onProgress?.(lines);
  }
  const [first] = await core.store.read(0, 1);
  return first !== undefined && first.seq > 1 && first.at > scope.from;
}

function countPeople(
  gathering: Gathering,
  { people, asked }: Judgement,
  notSent: (reserved: number) => number,
): IncidentPeople {
  const of = (test: (known: Judgement["people"] extends ReadonlyMap<string, infer Known> ? Known : never) => boolean) =>
    [...people.values()].filter(test).length;
  const standings = [...gathering.people.values()];
  const refused = standings.filter((how) => how === standing.refused).length;
  return {
    accepted: of((known) => known.standing === standing.accepted),
    unknown: of((known) => known.standing === standing.unknown),
    rightly: asked ? of(({ right }) => right === true) : undefined,
    wrongly: asked ? of(({ right }) => right === false) : undefined,
    undecided: asked ? of(({ right }) => right === undefined) : people.size,
    refused,
    stopped: standings.filter((how) => how === standing.stopped).length,
    notSent: notSent(people.size + refused),
  };
}

async function countCorrection(
  core: Core,
  { people, asked }: Judgement,
  audience: () => AsyncIterable<CorrectionPerson>,
): Promise<IncidentData["correction"]> {
  const all = [...people.values()];
  const concerned = all.filter(({ right }) => right !== true);
  return {
    people: asked ? concerned.filter(({ right, address }) => right === false && address === "known").length : undefined,
    unreachable: concerned.filter(({ address }) => address !== "known").length,
    unsubscribed: (await unsubscribed(core, audience())).length,
  };
}

async function unsubscribed(core: Core, audience: AsyncIterable<CorrectionPerson>): Promise<string[]> {
  const { isSuppressed } = core.settings;
  const found: string[] = [];
  if (!isSuppressed) return found;
  let batch: string[] = [];
  const ask = async () => {
    const gone = await suppressedAmong(isSuppressed, batch);
    found.push(...batch.filter((address) => gone.has(address.toLowerCase())));
    batch = [];
  };
  for await (const { address } of audience) if (batch.push(address) >= suppressionBatch) await ask();
  if (batch.length > 0) await ask();
  return found;
}

function warnings(
  { people, failed }: Judgement,
  { unreadable, gaps }: Gathering,
  { pending, cutOff }: { pending: number; cutOff: boolean },
): string[] {
  const all = [...people.values()];
  const destroyed = all.filter(({ address }) => address === "destroyed").length;
  const locked = all.filter(({ address }) => address === "locked").length;
  return [
    ...(cutOff
      ? ["The ledger begins after the incident does: older lines were trimmed, and people may be missing."]
      : []),
    ...(unreadable.count > 0
      ? [
          `The ledger has lines that cannot be read (${unreadable.count}, the first is line ${unreadable.first}): people may be missing or count as unknown; verify it.`,
        ]
      : []),
    ...(gaps.count > 0
      ? [
          `The ledger lacks lines (in ${gaps.count} places, the first is behind line ${gaps.first}): people may be missing or count as unknown; verify it.`,
        ]
      : []),
    ...(pending > 0
      ? [`${pending} calls have no outcome yet and may be under way: read the incident again in two minutes.`]
      : []),
    ...(destroyed > 0
      ? [`The addresses of ${destroyed} people are destroyed; they cannot be written to from here.`]
      : []),
    ...(locked > 0
      ? [
          `The addresses of ${locked} people are sealed under a secret that is not configured here: add the former secret.`,
        ]
      : []),
    ...(failed > 0 ? [`About ${failed} people the oracle failed, or gave neither true nor false.`] : []),
  ];
}

const fateNames = {
  [standing.accepted]: "accepted",
  [standing.unknown]: "unknown",
  [standing.refused]: "refused",
  [standing.stopped]: "stopped",
} as const;

function fateOf(core: Core, gathering: Gathering, address: string): ReturnType<Incident["fateOf"]> {
  const parsed = parseAddress(address, "address");
  if ("code" in parsed) throw new MailfuseError(parsed);
  const standings = core.secrets.pseudonyms(parsed.person).flatMap((person) => gathering.people.get(person) ?? []);
  return standings.length === 0 ? "none" : fateNames[Math.max(...standings) as keyof typeof fateNames];
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = [];
  for await (const item of items) list.push(item);
  return list;
}
