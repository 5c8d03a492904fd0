/** The process that makes the mistake: it plans an offer to the wrong people, has it waved through, and is killed. */
import process from "node:process";
import { sqliteStore } from "mailfuse/stores/sqlite";
import { approveBlindly, createFuse, productionConfig } from "../production";
import { makeWorld, markOf } from "../world";
import { attachedMailer } from "./mailer";

/** What the process is told. */
export interface MistakeJob {
  readonly path: string;
  readonly port: number;
  readonly seed: number;
  readonly customers: number;
  readonly audience: readonly string[];
  readonly lanes: number;
}

process.once("message", async (job: MistakeJob) => {
  const world = makeWorld(job.seed, job.customers);
  const fuse = createFuse(productionConfig(world, "production", sqliteStore({ path: job.path })));
  const { send } = attachedMailer(fuse, job.port, world);
  const plan = await fuse.plan(
    { purpose: "offer", expectedPeople: job.audience.length, requestedBy: "dana" },
    {
      audience: job.audience,
      send: (to) => send({ to, subject: "Your offer", text: `For our best. ${markOf("drill", to)}`, tag: "offer" }),
    },
  );
  process.send?.({ plan: plan.id });
  await fuse.release(plan.id, { tokens: [await approveBlindly(fuse, plan.id)], concurrency: job.lanes });
});
process.once("disconnect", () => process.exit(1));
