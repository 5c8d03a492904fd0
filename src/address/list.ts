/**
 * Lists as header values carry them: addresses separated by commas or semicolons, and groups
 * (`Team: ann@acme.test, bob@acme.test;`).
 *
 * Groups pass where every reader sees the same people: named, closed, not nested, and set off by
 * commas. Semicolons between addresses pass because every reader that takes them sees each
 * address, but not beside groups, where the same sign ends the group.
 *
 * @module
 */
import type { Address } from "../address";
import { findControl, trimBlanks } from "./characters";
import { longestMailbox, readMailbox, unfold } from "./mailbox";
import { readPhrase } from "./name";
import { readPlain } from "./plain";
import * as problem from "./problems";
import { isProblem, type Problem } from "./problems";

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const semicolon = 0x3b;
const less = 0x3c;
const greater = 0x3e;
const backslash = 0x5c;

/**
 * Reads `text` from start to end, handing each address or problem to `found` with its position
 * (from 1). Stops when `found` answers `false`, and where the rest could not be told apart any more.
 */
export function readList(text: string, found: (read: Address | Problem, position: number) => boolean): void {
  let position = 0;
  let start = 0;
  let angle = false;
  let group: "none" | "open" | "closed" = "none";
  let groups = false;
  let semicolons = false;
  const take = (end: number): boolean => {
    const item = trimBlanks(text.slice(start, end));
    start = end + 1;
    if (item === "") return true;
    position++;
    if (group === "closed") return stop(problem.groupMixed);
    return found(readPlain(item) ?? readMailbox(item, true), position);
  };
  const stop = (reason: Problem): false => {
    found(reason, Math.max(position, 1));
    return false;
  };

  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > greater || code < quote) continue;
    if (code === quote) {
      const close = angle ? i : endOfQuoted(text, i);
      if (close < 0) return void stop(problem.unclosedQuote);
      i = close;
    } else if (code === comma || code === semicolon) {
      if (angle) continue;
      if (!take(i)) return;
      if (code === comma) {
        if (group === "closed") group = "none";
      } else if (group === "open") group = "closed";
      else semicolons = true;
      if (groups && semicolons) return void stop(problem.groupMixed);
    } else if (code === colon) {
      if (angle) continue;
      if (group !== "none") return void stop(group === "open" ? problem.groupNested : problem.groupMixed);
      const wrong = checkGroupName(text.slice(start, Math.min(i, start + longestMailbox + 1)));
      if (wrong) return void stop(wrong);
      group = "open";
      groups = true;
      start = i + 1;
    } else if (code === less) angle = true;
    else if (code === greater) angle = false;
  }
  if (!take(text.length)) return;
  if (group === "open") stop(problem.groupOpen);
}

function endOfQuoted(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === quote) return i;
    if (code === backslash) i++;
  }
  return -1;
}

function checkGroupName(text: string): Problem | undefined {
  if (text.length > longestMailbox) return problem.tooLong;
  const line = unfold(trimBlanks(text));
  const sign = findControl(line);
  if (sign !== undefined) return problem.control(sign);
  if (line.includes("[")) return problem.literal;
  const phrase = readPhrase(line);
  if (isProblem(phrase)) return phrase === problem.atInName ? problem.groupName : phrase;
  return /^\s*$|[@<>\uff20\ufe6b]|=\?/.test(phrase.phrase) ? problem.groupName : undefined;
}
