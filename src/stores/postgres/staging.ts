/**
 * Staging of large reservations in PostgreSQL, step by step; see functions-windows.
 *
 * @module
 */
import type { StagingServer } from "../staging";
import { type Database, joined, list, milliseconds, name, nonsense, whole, windowId } from "./database";

/** The steps of staging in one schema, quoted. */
export function stagingIn(database: Database, s: string): StagingServer {
  return {
    deadlineMs: database.deadlineMs,
    async stage(stamp, slack, windows, people) {
      const ids = windows.map((window) => windowId(window.key)).join();
      const messages = windows.some((window) => window.messages >= 0);
      const defs = windows
        .flatMap((w) => [milliseconds(w.windowMs), w.limit, ...(messages ? [w.messages] : [])])
        .join();
      const reply = messages
        ? await database.write(`${s}.stage_messages`, [stamp, slack, ids, defs])
        : await database.write(`${s}.stage`, [stamp, slack, ids, defs, joined(people.map(name))]);
      const rooms = list(reply[2]).map((answer) => {
        const [room, used, wanted] = list(answer).map(whole) as [number, number, number];
        return [room === 1, used, wanted] as const;
      });
      if (rooms.length !== windows.length) throw nonsense();
      return { stamp: String(reply[1]), rooms };
    },
    async look(window, people) {
      const values = [windowId(window.key), milliseconds(window.windowMs), joined(people.map(name))];
      const [, used, wanted] = await database.write(`${s}.missing`, values);
      return [whole(used), whole(wanted)];
    },
    async again(stamp, windows, people) {
      const ids = windows.map((window) => windowId(window.key)).join();
      await database.write(`${s}.again`, [stamp, ids, joined(people.map(name))]);
    },
    async unstage(stamp, keys) {
      const [, left] = await database.write(`${s}.unstage`, [stamp, keys.map(windowId).join()]);
      return whole(left) === 1;
    },
  };
}
