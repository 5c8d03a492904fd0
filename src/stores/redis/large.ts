/**
 * Staging of large reservations on Redis, step by step; see lua-stage.
 *
 * @module
 */
import type { StagedWindow, StagingServer } from "../staging";
import { list, nonsense, type Server, text, whole } from "./client";
import { again, look, stage, unstage } from "./lua-stage";
import { milliseconds, written } from "./names";
import { Spends } from "./spends";

/** The steps of staging on one server. */
export function stagingOn(server: Server): StagingServer {
  const length = ({ key, windowMs }: StagedWindow) => [written(key), milliseconds(windowMs)];
  return {
    deadlineMs: server.deadlineMs,
    async stage(stamp, slack, windows, people) {
      const packed = new Spends(0);
      const rows = windows.map((window) => [...length(window), window.limit, window.messages]);
      const head = [stamp, slack, rows, packed.people(people)];
      const [, given, ...answers] = await server.write(stage, head, packed.packed);
      if (answers.length !== windows.length) throw nonsense();
      const rooms = answers.map((answer) => {
        const [room, used, wanted] = list(answer).map(whole) as [number, number, number];
        return [room === 1, used, wanted] as const;
      });
      return { stamp: text(given), rooms };
    },
    async look(window, people) {
      const packed = new Spends(0);
      const [, answer] = await server.write(look, [[length(window)], packed.people(people)], packed.packed);
      return list(answer).map(whole) as [number, number];
    },
    async again(stamp, windows, people) {
      const packed = new Spends(0);
      await server.write(again, [stamp, windows.map(length), packed.people(people)], packed.packed);
    },
    async unstage(stamp, keys) {
      const [, left] = await server.write(unstage, [stamp, keys.map(written)]);
      return whole(left) === 1;
    },
  };
}
