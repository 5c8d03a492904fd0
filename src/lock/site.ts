/**
 * Finds the place in the application that a stack goes back to.
 *
 * @module
 */

/** Deep enough to come out of an HTTP library's own frames. */
const depth = 60;

/**
 * The first frame of the application's own code, else the first one outside Node; as
 * `send (/app/src/mail.js:12:5)`. A stack may end before it reaches either.
 */
export function callSite(): string | undefined {
  const holder: { stack?: string } = {};
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = depth;
  Error.captureStackTrace(holder, callSite);
  Error.stackTraceLimit = before;
  const frames = String(holder.stack)
    .split("\n")
    .slice(1)
    .map((line) => line.trim().replace(/^at (?:async )?/, ""))
    .filter((frame) => /:\d+:\d+\)?$/.test(frame) && !/\(?node:|\bnative\b/.test(frame) && !ours(frame));
  return frames.find((frame) => !frame.includes("node_modules")) ?? frames[0];
}

// Built, this file's code shares chunks with others, so its own path says where the lock's code is.
const here =
  new Error().stack?.split("\n")[1]?.match(/(?:file:\/\/)?(\/[^):]+|[A-Za-z]:[^):]+):\d+:\d+\)?$/)?.[1] ?? "";
const folder = here.replace(/\\/g, "/").replace(/[^/]*$/, "");

function ours(frame: string): boolean {
  return folder !== "" && frame.replace(/\\/g, "/").includes(folder);
}
