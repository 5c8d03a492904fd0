/**
 * What an HTTP answer, or its absence, says of a mail.
 *
 * @module
 */
import type { Fate } from "../adapter";

/**
 * The fate that a status alone tells. 2xx is acceptance as far as the status goes. A 4xx says that
 * the request was not taken; except 408, 425 and 499, which proxies answer when they gave up on a
 * request that the provider may have got. Everything else (5xx above all) may come after acceptance.
 */
export function fateOfStatus(status: number): Fate {
  if (status >= 200 && status < 300) return "accepted";
  if (status === 408 || status === 425 || status === 499) return "unknown";
  return status >= 400 && status < 500 ? "refused" : "unknown";
}

const noConnection = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"]);

/** Whether a network error proves that no connection came about, so that nothing was sent. */
export function isNoConnection(error: unknown, depth = 0): boolean {
  if (typeof error !== "object" || error === null || depth > 5) return false;
  const { code, syscall, cause, errors } = error as Record<"code" | "syscall" | "cause" | "errors", unknown>;
  if (typeof code === "string" && (noConnection.has(code) || (syscall === "connect" && code !== "ECONNRESET")))
    return true;
  // One address of several that was reached may have got the request.
  if (Array.isArray(errors) && errors.length > 0) return errors.every((one) => isNoConnection(one, depth + 1));
  return isNoConnection(cause, depth + 1);
}
