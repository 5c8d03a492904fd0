/**
 * What forms about a plan do. Each asks the fuse, which decides; the console can do no more than it.
 *
 * @module
 */
import type { Plan } from "../../index";
import { type PasskeyClaims, passkeyToken } from "../../plan/passkeys";
import { redirect } from "../answer";
import { boundOf, type Visit } from "../visit";
import { problemPage } from "./problem";

type Work = (visit: Visit, plan: Plan) => Promise<Response>;

/** Spends the form's token, bound to the plan as it stands now, and does the work. */
function deciding(action: string, work: Work): (visit: Visit) => Promise<Response> {
  return async (visit) => {
    const { form, forms, fuse, params } = visit;
    const [id = ""] = params;
    const found = await fuse.findPlan(id);
    const answer = forms.spend(form.get("token") ?? "", boundOf(visit, { action, subject: id, digest: found.digest }));
    return answer === "good" ? work(visit, found) : problemPage(visit, 403, answer);
  };
}

/** The same for what needs a reason. */
function withReason(action: string, work: (visit: Visit, id: string, reason: string) => Promise<Response>) {
  return deciding(action, (visit, { id }) => {
    const reason = (visit.form.get("reason") ?? "").trim().slice(0, 200);
    return reason === "" ? Promise.resolve(problemPage(visit, 422, "no-reason")) : work(visit, id, reason);
  });
}

/** Records a confirmation that the approver's own key has signed. The server mints nothing. */
export async function confirm(visit: Visit): Promise<Response> {
  const [id = ""] = visit.params;
  // Counted before anything is looked at: whoever guesses is not told how near they came.
  const mayTry = visit.tries.actor.allows(visit.actor.id) && visit.tries.plan.allows(id);
  return mayTry ? confirmed(visit) : problemPage(visit, 429, "too-many");
}

/** Records a confirmation that the approver's passkey has signed on the page of the plan. */
export async function passkey(visit: Visit): Promise<Response> {
  const [id = ""] = visit.params;
  const mayTry = visit.tries.actor.allows(visit.actor.id) && visit.tries.plan.allows(id);
  return mayTry ? passkeyed(visit) : problemPage(visit, 429, "too-many");
}

const passkeyed = deciding("passkey", async (visit, { id, phrase }) => {
  const { form, fuse, actor, base } = visit;
  const claims = json(form.get("claims")) as PasskeyClaims | undefined;
  const own = claims?.by === actor.id && (form.get("phrase") ?? "").trim() === phrase;
  if (!claims || !own) return problemPage(visit, 422, "not-yours");
  await fuse.confirm(id, { tokens: [passkeyToken(claims, json(form.get("answer")))] });
  return redirect(`${base}/plans/${id}?done=confirmed`);
});

function json(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "") as unknown;
  } catch {
    return undefined;
  }
}

const confirmed = deciding("confirm", async (visit, { id, phrase }) => {
  const { form, fuse, actor, base } = visit;
  const token = (form.get("confirmation") ?? "").trim();
  if (signer(token) !== actor.id || (form.get("phrase") ?? "").trim() !== phrase)
    return problemPage(visit, 422, "not-yours");
  await fuse.confirm(id, { tokens: [token] });
  return redirect(`${base}/plans/${id}?done=confirmed`);
});

/** Whom a token says it is by. Whether that is true, the fuse finds out. */
function signer(token: string): string | undefined {
  try {
    const [, payload = ""] = token.split(".");
    const { iss } = JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as { iss?: unknown };
    return typeof iss === "string" ? iss : undefined;
  } catch {
    return undefined;
  }
}

export const reject = withReason("reject", async ({ fuse, actor, base }, id, reason) => {
  await fuse.reject(id, { by: actor.id, reason });
  return redirect(`${base}/plans/${id}?done=rejected`);
});

export const revoke = withReason("revoke", async ({ fuse, actor, base }, id, reason) => {
  await fuse.revoke(id, { by: actor.id, reason });
  return redirect(`${base}/plans/${id}?done=revoked`);
});

export const exclude = deciding("exclude", async ({ fuse, actor, base }, { id }) => {
  const made = await fuse.exclude(id, { by: actor.id });
  return redirect(`${base}/plans/${made.id}?done=excluded`);
});

export const proceed = deciding("proceed", async ({ fuse, actor, base }, { id }) => {
  await fuse.proceed(id, { by: actor.id });
  return redirect(`${base}/plans/${id}?done=proceeded`);
});
