/**
 * What a fuse says when it is made: its mode and why, and what does not hold as it is configured.
 *
 * @module
 */
import cluster from "node:cluster";
import type { FuseConfig } from "./config";
import type { Settings } from "./config/resolve";
import type { Core } from "./core";
import { sentence } from "./describe";
import { MailfuseError } from "./errors";
import { consoleLogger } from "./log";
import type { StoreFacts } from "./store";
import { isMemoryStore } from "./stores/memory";

/**
 * Counts, plans and tokens in one process's memory do not hold over several: a warning in one process, an error where
 * several workers are seen. Our own memory store is known at once; any other store says what it is when it is opened,
 * and is judged by what is returned here.
 */
export function judgeLoneStore(config: FuseConfig, settings: Settings): (facts: StoreFacts) => void {
  const { store } = config;
  const plans = settings.approvers.size > 0 || Object.values(config.purposes ?? {}).some(({ kind }) => kind === "bulk");
  if (settings.environment.mode !== "live" || !plans) return () => {};
  if (store !== undefined && !isMemoryStore(store)) return (facts) => facts.shared || object(config, facts.kind);
  object(config, store === undefined ? "none" : "memory");
  return () => {};
}

function object(config: FuseConfig, got: string): void {
  const workers =
    cluster.isWorker || Number(config.env?.WEB_CONCURRENCY ?? 1) > 1 || config.env?.NODE_APP_INSTANCE !== undefined;
  if (workers) {
    throw new MailfuseError({
      code: "CONFIG_INVALID",
      message: `Expected a \`store\` that all workers share, got ${got}, with several workers, a live environment, and plans or confirmations.`,
      fix: "Give sqliteStore (one machine), redisStore or postgresStore; a cap or token in one worker's memory holds in that worker only.",
      where: "store",
    });
  }
  const logger = config.logger ?? consoleLogger;
  const which = got === "none" ? "no `store` is configured" : `the \`store\` (${got}) is this process's own`;
  logger.warn({ store: got }, `${which}: caps, plans and tokens hold in this process only and end with it`);
}

/** The start-up line. */
export function announce(core: Core, config: FuseConfig): void {
  const { environment } = core.settings;
  const fields = { environment: environment.name, mode: environment.mode, why: environment.why };
  if (environment.closed.length > 0) core.log.error(fields, sentence(core));
  else core.log.info(fields, sentence(core));
  if (environment.mode === "live" && config.env === undefined) {
    core.log.warn(
      fields,
      "`env` is not given, so markers of a CI, a test runner or a preview deployment are not looked for",
    );
  }
}
