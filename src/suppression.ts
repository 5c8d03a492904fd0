/**
 * People who have unsubscribed are not reached by bulk mail. Bulk mail leaves in plans, so this is
 * asked in batches: at planning and again at release.
 *
 * @module
 */
import { outsideDelivery } from "./delivery";
import type { Refusal } from "./errors";

/** The application's own answer to who must not get bulk mail. */
export type IsSuppressed = (addresses: readonly string[]) => readonly string[] | Promise<readonly string[]>;

/**
 * Which of these addresses are suppressed, lower-cased; all of them when nobody can say. Asks under
 * both spellings, as given and lower-cased: nobody here knows how the application keeps them.
 */
export async function suppressedAmong(
  isSuppressed: IsSuppressed,
  addresses: readonly string[],
): Promise<ReadonlySet<string>> {
  try {
    const spellings = [...new Set(addresses.flatMap((address) => [address, address.toLowerCase()]))];
    const answer = await outsideDelivery(() => isSuppressed(spellings));
    if (Array.isArray(answer)) return new Set(answer.map((address) => String(address).toLowerCase()));
  } catch {
    // Not knowing is no permission: everybody is then suppressed.
  }
  return new Set(addresses.map((address) => address.toLowerCase()));
}

/** The reason for a suppressed person. */
export const suppressedRefusal: Refusal = {
  code: "SUPPRESSED",
  message:
    "Expected people who want this mail, got one who has unsubscribed or is suppressed, or about whom `isSuppressed` could not say.",
  fix: "Leave the person out; in a plan, a named person may exclude the entry.",
};
