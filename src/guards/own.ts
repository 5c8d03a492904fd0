/**
 * A guard of the user's: what it lets through is waited for, whether the guard waits for it or not.
 * One that forgets to return what `next()` gives would have its mail leave behind its caller's back.
 *
 * @module
 */
import type { Guard, Receipt } from "../guard";

/** Takes a user's guard among ours. */
export function ownGuard(guard: Guard): Guard {
  return async function own(send, next) {
    let rest: Promise<Receipt> | undefined;
    let result: Receipt;
    try {
      result = await guard(send, () => {
        const going = next();
        // The first is the one that leads on; a later one is refused, and may be heard by nobody.
        rest ??= going;
        going.catch(unheard);
        return going;
      });
    } catch (error) {
      await rest?.catch(unheard);
      throw error;
    }
    // Its error too, though the guard has caught it: the send's own reason is the one to give.
    return rest ? await rest : result;
  };
}

function unheard(): void {}
