/**
 * The computed effect of a plan, where it can still be read.
 *
 * @module
 */
import { type Fuse, MailfuseError, type PlanSummary } from "../index";

/** The summary; `undefined` once it is gone with the plan's key. */
export async function effectOf(fuse: Fuse, id: string): Promise<PlanSummary | undefined> {
  try {
    return await fuse.summary(id);
  } catch (error) {
    if (MailfuseError.isInstance(error) && error.code === "PLAN_STATE") return undefined;
    throw error;
  }
}
