/**
 * Calls of SendGrid clients that no fuse holds: their mail is refused, all else passes.
 *
 * @module
 */
import { type Refusal, readTarget, strangersMail } from "../../src/adapter";
import { settled, urlOf } from "./axios";
import type { SendGridClient } from "./calls";
import { sendgridCodec } from "./codec";

/** The reason why a stranger's call may not be made, or the arguments to make it with. */
export function judgeStranger(stranger: object, args: readonly unknown[]): Refusal | readonly unknown[] {
  const options = settled((stranger as SendGridClient).createRequest(args[0]));
  if (mails(options)) return strangersMail("SendGrid client");
  // Read once: what was looked at is what leaves.
  const { url, baseURL, method, data, params, headers } = options;
  return [{ url, baseUrl: baseURL, method, body: data, qs: params, headers }, ...args.slice(1)];
}

function mails(options: ReturnType<typeof settled>): boolean {
  const url = urlOf(options);
  if (!url) return false;
  const { path, query } = readTarget(url);
  if (/^\/api\/mail\.send/i.test(path)) return true;
  const method = options.method.toUpperCase();
  const { kind } = sendgridCodec.classify({ method, path, query, headers: [], body: { kind: "none" } });
  return kind === "send" || kind === "audience" || kind === "system";
}
