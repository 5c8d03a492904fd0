/**
 * Plans the correction of a mistake: exactly the people it reached or may have reached, less those
 * for whom it was right. It is a plan like any other, and goes out as one.
 *
 * @module
 */
import type { Core } from "../core";
import { MailfuseError } from "../errors";
import { makePlan, type Plan } from "../plan/plan";
import { suppressedAmong } from "../suppression";
import { actionEvent } from "./events";
import type { CorrectionPerson, CorrectionRequest, IncidentData } from "./incident";
import type { Judgement } from "./incident/judge";

/** The help desk has to survive the answers: so much leaves when nothing else is said. */
const defaultRate = { messages: 1_000, per: "1h" } as const;
/** Addresses asked about at once whether they are suppressed. */
const suppressionBatch = 500;

/** What a correction is made from. */
export interface CorrectionSource {
  readonly data: IncidentData;
  readonly judgement: Judgement;
  readonly audience: () => AsyncIterable<CorrectionPerson>;
}

/** See `Incident.correction`. */
export async function makeCorrection(
  core: Core,
  { data, judgement, audience }: CorrectionSource,
  request: CorrectionRequest,
): Promise<Plan> {
  const { people = 0, unreachable, unsubscribed } = data.correction;
  checkDecided(judgement);
  if (unreachable > 0 && !request.withoutDestroyed) throw destroyed(unreachable, people + unreachable);
  const leaveOut = request.unsubscribed === "leave-out";
  const wanted = leaveOut ? subscribed(core, audience()) : audience();
  // Capped by what the ledger says: a list read a second time cannot have grown.
  const expectedPeople = people - (leaveOut ? unsubscribed : 0);
  if (expectedPeople < 1) throw nobody();
  const named = new Set<string>();
  const plan = await makePlan(
    core,
    {
      purpose: core.settings.purposes.correction.name,
      expectedPeople,
      requestedBy: request.requestedBy,
      rate: request.rate ?? defaultRate,
      ...(request.canary === undefined ? {} : { canary: request.canary }),
      ...(request.notBefore === undefined ? {} : { notBefore: request.notBefore }),
      ...(request.notAfter === undefined ? {} : { notAfter: request.notAfter }),
    },
    {
      audience: noting(core, wanted, named),
      send: request.send,
      ...(request.data ? { data: request.data } : {}),
    },
    { of: data.id, people: named, mailsUnsubscribed: request.unsubscribed === "mail" },
  );
  const event = actionEvent("correction", {
    plan: plan.id,
    of: data.id,
    purpose: data.purpose,
    people: plan.terms.people,
    by: request.requestedBy,
    unreachable,
    unsubscribed,
    ...(request.unsubscribed === undefined ? {} : { decision: request.unsubscribed }),
  });
  await core.store.append([event]);
  return plan;
}

/** Whoever is handed to `send` may be mailed by it, and nobody else. */
async function* noting(
  core: Core,
  audience: AsyncIterable<CorrectionPerson>,
  named: Set<string>,
): AsyncGenerator<CorrectionPerson> {
  for await (const person of audience) {
    named.add(core.secrets.pseudonym(person.address.toLowerCase()));
    yield person;
  }
}

async function* subscribed(core: Core, audience: AsyncIterable<CorrectionPerson>): AsyncGenerator<CorrectionPerson> {
  const { isSuppressed } = core.settings;
  let batch: CorrectionPerson[] = [];
  const kept = async () => {
    const addresses = batch.map(({ address }) => address);
    const gone = isSuppressed ? await suppressedAmong(isSuppressed, addresses) : new Set<string>();
    const rest = batch.filter(({ address }) => !gone.has(address.toLowerCase()));
    batch = [];
    return rest;
  };
  for await (const person of audience) if (batch.push(person) >= suppressionBatch) yield* await kept();
  yield* await kept();
}

function checkDecided({ asked, failed }: Judgement): void {
  if (asked && failed === 0) return;
  throw new MailfuseError({
    code: "CORRECTION_UNDECIDED",
    message: asked
      ? `Expected \`right\` to say true or false of everybody, got an error or something else for ${failed} people.`
      : "Expected to be told for whom the mail was right, got no `right`: the correction would go to them as well.",
    fix: "Give fuse.incident a list of those for whom it was right, a function, or [] when it was right for nobody.",
  });
}

function destroyed(unreachable: number, people: number): MailfuseError {
  return new MailfuseError({
    code: "ADDRESSES_DESTROYED",
    message: `Expected the addresses of ${people} people, got none for ${unreachable} of them: destroyed after \`retention.addresses\` or on request, or sealed under a secret that is not configured.`,
    fix: "Configure the former secret, if that is it; else reach them another way and pass withoutDestroyed: true for the rest.",
  });
}

function nobody(): MailfuseError {
  return new MailfuseError({
    code: "PLAN_EMPTY",
    message: "Expected people whom the mistake reached or may have reached, got none: nobody needs a correction.",
    fix: "Look at the incident's figures, and at `right`.",
  });
}
