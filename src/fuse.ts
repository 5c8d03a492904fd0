/**
 * `createFuse`: the object that holds the configuration and through which every mail passes.
 *
 * @module
 */
import type { Adapter } from "./adapter";
import { attachClient, detachClient } from "./attach";
import type { AddressCheck, CheckRequest } from "./check";
import { systemClock } from "./clock";
import type { FuseConfig } from "./config";
import { checkConfig } from "./config/explain";
import { resolveConfig } from "./config/resolve";
import { type Captured, Core } from "./core";
import { type Description, describe } from "./describe";
import type { DrillResult } from "./drill";
import type { Refusal } from "./errors";
import type { SendContext } from "./guard";
import { type HaltRequest, halt, resume } from "./halting";
import { LateExit } from "./late-exit";
import { actionEvent } from "./ledger/action-event";
import type { Incident, IncidentOptions, IncidentScope } from "./ledger/incident";
import { lateLedger } from "./ledger/late";
import type { Ledger } from "./ledger/ledger";
import { consoleLogger } from "./log";
import { PlanDesk } from "./plan/desk";
import { runWith } from "./run";
import { announce, judgeLoneStore } from "./start";
import type { Status } from "./status";
import type { HaltRecord } from "./store";
import { memoryStore } from "./stores/memory";
import { keepStringsFast } from "./strings";
import type { Suggestion } from "./suggest";

/** A fuse for outgoing mail. Made by {@link createFuse}. */
export class Fuse extends PlanDesk {
  readonly #core: Core;
  readonly #exit: LateExit;
  readonly #ledger: Ledger;

  /** @internal */
  constructor(core: Core, exit: LateExit) {
    super(core, (call, held) => exit.pass(call, held));
    this.#core = core;
    this.#exit = exit;
    this.#ledger = lateLedger(core);
  }

  /**
   * Puts the fuse into a client, in place: the same object, the same type. Attaching again under
   * an equal policy replaces silently.
   *
   * @param options.account Names the client in plans and the ledger, where several are of one provider.
   * @throws `ATTACH_UNSUPPORTED` for a client the adapter does not know, `ATTACH_CONFLICT` when a
   * fuse with another policy holds it.
   * @example
   * ```ts
   * fuse.attach(transporter, nodemailerAdapter());
   * ```
   */
  attach<Client extends object>(
    client: Client,
    adapter: Adapter<NoInfer<Client>>,
    options: { readonly account?: string } = {},
  ): Client {
    attachClient(this.#core, this.#exit, client, adapter, options.account);
    return client;
  }

  /** Takes the fuse out of a client and restores it as it was. Harmless when it holds none. */
  detach(client: object): void {
    detachClient(client);
  }

  /**
   * Looks whether every choke point is still in place. Each refusal names what replaced one.
   */
  verify(): readonly (Refusal & { readonly client: string })[] {
    return [...this.#core.held.values()].flatMap((held) => {
      const refusal = held.attachment.verify();
      return refusal ? [{ ...refusal, client: held.key }] : [];
    });
  }

  /**
   * Says why the mails of `work` are sent, without changing how they are sent.
   *
   * @example
   * ```ts
   * await fuse.run({ purpose: "receipt", data: { orderId } }, () => mailer.sendMail(mail));
   * ```
   */
  run<Result>(context: SendContext, work: () => Result): Result {
    return runWith(this.#core, context, work);
  }

  /** Stops everything, or one purpose, in every process that shares the store, until resumed. */
  async halt(request: HaltRequest): Promise<void> {
    return halt(this.#core, request);
  }

  /** Ends a halt. Resolves to whether there was one. */
  async resume(request: { readonly purpose?: string; readonly by: string }): Promise<boolean> {
    return resume(this.#core, request);
  }

  /** The halts that are on. */
  async halts(): Promise<readonly HaltRecord[]> {
    await this.#core.ready();
    return this.#core.refreshHalts();
  }

  /** Accepts the store as it is after `STORE_REGRESSED`; a person's decision. */
  async acknowledge(request: { readonly by: string }): Promise<void> {
    const core = this.#core;
    await core.ready();
    core.seen = await core.store.acknowledge(actionEvent("acknowledged", { by: request.by }));
  }

  /** The record of every decision and outcome: verified, sealed, exported, and relieved of old addresses. */
  get ledger(): Ledger {
    return this.#ledger;
  }

  /**
   * Says what a mistake did: whom mail reached, whom it may have reached, what stopped it, and what to write to whom.
   * Works after a crash and on another machine: it needs the store and the secret.
   *
   * @throws `INCIDENT_UNKNOWN` when no such plan or mail is in the ledger.
   * @example
   * ```ts
   * const incident = await fuse.incident({ plan: "p_7f3k" }, { right: (address) => refunds.isDue(address) });
   * console.log(incident.data.drafts.helpDesk);
   * const plan = await incident.correction({ requestedBy: "dana", send: ({ address, mayHave }) => apologise(address, mayHave) });
   * ```
   */
  async incident(scope: IncidentScope, options: IncidentOptions = {}): Promise<Incident> {
    const { openIncident } = await import("./ledger/open-incident");
    return openIncident(this.#core, scope, options);
  }

  /** Mode, environment, why, and what is let through: the start-up line as data. */
  describe(): Description {
    return describe(this.#core);
  }

  /** How things stand: halts, caps and how full they are, plans that wait, the last refusals. */
  async status(): Promise<Status> {
    const { readStatus } = await import("./status");
    return readStatus(this.#core);
  }

  /**
   * Would these addresses get mail here, and why not. Each is asked about alone; content, claims
   * and your own guards are not asked. Throws `PURPOSE_UNKNOWN`.
   *
   * @example
   * ```ts
   * const [answer] = await fuse.check(["ann@acme.test"], { purpose: "receipt" });
   * console.log(answer.gets, answer.reasons);
   * ```
   */
  async check(addresses: readonly string[], request: CheckRequest = {}): Promise<readonly AddressCheck[]> {
    const { checkAddresses } = await import("./check");
    return checkAddresses(this.#core, addresses, request);
  }

  /** Purposes and caps that fit what left so far, as data and as configuration to paste. */
  async suggest(): Promise<Suggestion> {
    const { suggestPolicy } = await import("./suggest");
    return suggestPolicy(this.#core);
  }

  /**
   * A mass mail outside a release goes the way of every mail and has to be refused; nothing is sent
   * whatever happens. Leaves a refusal of the purpose `(drill)` in the ledger.
   */
  async drill(): Promise<DrillResult> {
    const { drill } = await import("./drill");
    return drill(await this.#exit.load());
  }

  /** Mails kept back in test mode with `onNotAllowed: "capture"`, oldest first, 1,000 at most. */
  get outbox(): readonly Captured[] {
    return this.#core.outbox;
  }

  /** Waits until every outcome is recorded. */
  async flush(): Promise<void> {
    await this.#core.flush();
  }

  /** Records what is outstanding, seals the ledger, lets go of every client, and closes what the store opened. */
  async close(): Promise<void> {
    await this.#core.flush();
    if (this.#core.isReady) await this.#core.upkeep.close();
    for (const held of [...this.#core.held.values()]) this.detach(held.client);
    await this.#core.store.close();
  }
}

/**
 * Makes a fuse. Throws `CONFIG_INVALID` with every mistake in the configuration, and for nothing
 * else: an environment that is unset, unknown or contradicted refuses sends, not start-up.
 *
 * @example
 * ```ts
 * const fuse = createFuse({
 *   environment: process.env.APP_ENV,
 *   environments: { production: { mode: "observe" }, staging: { mode: "test", allow: ["*@acme.test"] } },
 * });
 * ```
 */
export function createFuse(config: FuseConfig): Fuse {
  keepStringsFast();
  const checked = checkConfig(config);
  const settings = resolveConfig(checked);
  const judgeFacts = judgeLoneStore(checked, settings);
  const clock = checked.clock ?? systemClock;
  const core = new Core(
    settings,
    checked.store ?? memoryStore({ clock }),
    clock,
    checked.logger ?? consoleLogger,
    [checked.secret ?? []].flat(),
    checked.onAlert,
    judgeFacts,
    () => import("./sending"),
  );
  core.onPlan = checked.onPlan;
  const fuse = new Fuse(core, new LateExit(core, checked.guards ?? []));
  announce(core, checked);
  return fuse;
}
