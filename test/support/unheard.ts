/** Rejections that nobody hears would end an application's process: fails each test of a file that leaves one. */
import { afterEach, expect } from "vitest";

export function refuseUnheardRejections(): void {
  const unheard: unknown[] = [];
  process.on("unhandledRejection", (reason) => void unheard.push(reason));
  afterEach(() => {
    expect(unheard.splice(0)).toEqual([]);
  });
}
