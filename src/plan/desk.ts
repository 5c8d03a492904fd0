/**
 * Everything a fuse does with plans: making, showing, deciding, releasing.
 *
 * @module
 */
import { type Core, codeOf } from "../core";
import type { EntryState } from "../store";
import type { Decided, RejectRequest } from "./decisions";
import type { ExcludeRequest } from "./exclude";
import type { MailsRequest, PlannedEntry } from "./mails";
import type { Plan } from "./plan";
import type { PlanJob, PlanRequest, PlanSource } from "./rehearse";
import type { ReleaseOptions, ReleaseResult } from "./release";
import type { PlanSummary } from "./summary/types";
import type { PlanView } from "./view";
import type { Pass } from "./worker";

/** All that plans need, loaded by the first of them: most processes of an application make none. */
const work = async (core: Core) => {
  await Promise.all([...core.held.values()].map(({ attachment }) => attachment.ready?.()));
  return import("./desk-work");
};

/** The part of a fuse that plans and releases. */
export class PlanDesk {
  readonly #core: Core;
  readonly #pass: Pass;

  /** @internal */
  constructor(core: Core, pass: Pass) {
    this.#core = core;
    this.#pass = pass;
  }

  /**
   * Rehearses a mass send: everything is rendered and judged once, kept as it is, and nothing
   * leaves. A plan that may not be released comes back as data with every reason.
   *
   * @throws `PURPOSE_UNKNOWN`, `PRINCIPAL_UNKNOWN`, `PLAN_COUNT` for a wrong request, `PLAN_EMPTY`
   * when nothing is sent, `PLAN_JOB_FAILED` with the job's own error as its cause, or when it stalls,
   * `PLAN_INVALID`, `CONTEXT_LOST`; `PLAN_CHANGED` where a plan that is resumed had another audience.
   * @example
   * ```ts
   * const plan = await fuse.plan({ purpose: "refund", expectedPeople: 75, requestedBy: "dana" }, {
   *   audience: refunds.due(),
   *   send: (refund) => mailer.sendMail({ to: refund.email, subject, html: render(refund) }),
   *   data: (refund) => ({ orderId: refund.orderId }),
   * });
   * ```
   */
  async plan<Item>(request: PlanRequest, source: PlanSource<Item> | PlanJob): Promise<Plan> {
    return (await work(this.#core)).makePlan(this.#core, request, source);
  }

  /**
   * Makes another plan from the good entries of a refused one, by the decision of a named person.
   * It needs its own confirmation and says what was left out.
   *
   * @throws `PLAN_NOT_FOUND`, `PLAN_STATE`, `PRINCIPAL_UNKNOWN`, `PLAN_EMPTY`.
   */
  async exclude(id: string, request: ExcludeRequest): Promise<Plan> {
    return (await work(this.#core)).excludeFailed(this.#core, id, request);
  }

  /**
   * The computed effect of a plan, as approvers must see it: its digest stands in the plan's terms. Holds
   * addresses and excerpts; show it with `summaryText` or `summaryHtml`. Gone with the plan's key.
   *
   * @throws `PLAN_NOT_FOUND`, `PLAN_STATE`, `PLAN_TAMPERED`.
   */
  async summary(id: string): Promise<PlanSummary> {
    const { findPlan, openSummary, readRecord } = await work(this.#core);
    return openSummary(this.#core, readRecord(this.#core, await findPlan(this.#core, id)));
  }

  /**
   * The mails of a plan, a page of entries at a time, for people to look at. Holds addresses and whole
   * mails; escape everything. Gone with the plan's key.
   *
   * @throws `PLAN_NOT_FOUND`, `PLAN_STATE`, `PLAN_TAMPERED`.
   */
  async mails(id: string, request: MailsRequest = {}): Promise<readonly PlannedEntry[]> {
    return (await work(this.#core)).readMails(this.#core, id, request);
  }

  /** How many entries stand in each state. Throws `PLAN_NOT_FOUND`. */
  async progress(id: string): Promise<Readonly<Partial<Record<EntryState, number>>>> {
    const { findPlan } = await work(this.#core);
    await findPlan(this.#core, id);
    return this.#core.store.entryStates(id);
  }

  /**
   * Ends a plan that is still `rehearsing` although its process died: what it has rendered is destroyed.
   * {@link PlanRequest.resume} goes on with it instead.
   *
   * @throws `PLAN_NOT_FOUND`, `PLAN_STATE`, `PRINCIPAL_UNKNOWN`.
   */
  async drop(id: string, request: { readonly by: string }): Promise<Plan> {
    return (await work(this.#core)).dropPlan(this.#core, id, request);
  }

  /** A plan by its id. Throws `PLAN_NOT_FOUND`, `PLAN_TAMPERED`. */
  async findPlan(id: string): Promise<Plan> {
    const { findPlan, planOf } = await work(this.#core);
    const row = await findPlan(this.#core, id);
    return planOf(this.#core, row, await this.#core.store.now());
  }

  /**
   * The plans of this store, newest first. One that does not open under this fuse's secret, or was
   * changed in the store, is left out and logged as an error.
   *
   * @param options.limit How many at most. @default 50
   */
  async plans(options: { readonly limit?: number } = {}): Promise<readonly Plan[]> {
    const core = this.#core;
    const { planOf } = await work(this.#core);
    await core.ready();
    const now = await core.store.now();
    const rows = await core.store.plans(options.limit ?? 50);
    return rows.flatMap((row) => {
      try {
        return [planOf(core, row, now)];
      } catch (error) {
        core.log.error({ plan: row.id, error: codeOf(error) }, "a plan in the store cannot be read");
        return [];
      }
    });
  }

  /**
   * Shows a plan to a person who may confirm it: the ledger says so, and the view goes into the
   * person's token. Use {@link PlanDesk.findPlan} where nobody looks.
   *
   * @throws `PLAN_NOT_FOUND`, `PLAN_TAMPERED`, `PRINCIPAL_UNKNOWN`.
   * @example
   * ```ts
   * const { plan, view } = await fuse.view(id, { by: "erin" });
   * const token = await signToken({ plan: plan.id, digest: plan.digest, view, by: "erin", privateKey, now: Date.now() });
   * ```
   */
  async view(id: string, request: { readonly by: string }): Promise<PlanView> {
    return (await work(this.#core)).viewPlan(this.#core, id, request.by);
  }

  /**
   * Records approvals before the release: the tokens are spent, and the plan is `confirmed` once it
   * has all it needs. Passing the tokens to {@link PlanDesk.release} does both at once.
   *
   * @throws `TOKEN_*`, `PLAN_STATE`, `PLAN_CHANGED`, `PLAN_EXPIRED`, `PLAN_TAMPERED`.
   */
  async confirm(id: string, request: { readonly tokens: readonly string[] }): Promise<Plan> {
    return (await work(this.#core)).confirmPlan(this.#core, id, request.tokens);
  }

  /**
   * One no ends a plan that waits: a declared person's, or a token signed with `decision: "reject"`.
   *
   * @throws `PLAN_STATE`, `PRINCIPAL_UNKNOWN`, `TOKEN_*`.
   */
  async reject(id: string, request: RejectRequest): Promise<Plan> {
    return (await work(this.#core)).rejectPlan(this.#core, id, request);
  }

  /**
   * Takes a plan back. One that is being released stops within the mails in flight.
   *
   * @throws `PLAN_STATE`, `PRINCIPAL_UNKNOWN`.
   */
  async revoke(id: string, request: Decided): Promise<Plan> {
    return (await work(this.#core)).revokePlan(this.#core, id, request);
  }

  /**
   * Lets the entries go again whose outcome is unknown; call {@link PlanDesk.release} after it. Their
   * people may get the mail twice. Refused while a worker is alive.
   *
   * @throws `PLAN_STATE`, `PRINCIPAL_UNKNOWN`.
   */
  async resend(id: string, request: { readonly by: string }): Promise<Plan> {
    return (await work(this.#core)).resendUnknown(this.#core, id, request);
  }

  /**
   * Lets the rest of a plan go after its canary; call {@link PlanDesk.release} after it, unless one
   * still waits.
   *
   * @throws `PLAN_STATE`, `PRINCIPAL_UNKNOWN`.
   */
  async proceed(id: string, request: { readonly by: string }): Promise<Plan> {
    return (await work(this.#core)).proceedPlan(this.#core, id, request);
  }

  /**
   * Delivers a plan's own bytes once enough people have confirmed it. Called again, also in other
   * processes, it shares the work or goes on after a crash.
   *
   * @throws `TOKEN_*`, `APPROVALS_MISSING`, `PLAN_STATE`, `PLAN_CHANGED`, `PLAN_EXPIRED`,
   * `PLAN_TAMPERED`, `CAP_EXCEEDED`, `HALTED`: nothing was sent.
   */
  async release(id: string, options: ReleaseOptions = {}): Promise<ReleaseResult> {
    return (await work(this.#core)).releasePlan(this.#core, this.#pass, id, options);
  }
}
