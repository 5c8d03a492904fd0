/**
 * Test mode: mail reaches the allowlist and nobody else. Live and observe: nothing leaves while a
 * marker contradicts them.
 *
 * @module
 */

import { allowText } from "../allowlist";
import type { Environment } from "../config/resolve";
import type { Guard, Send } from "../guard";

/** Makes the guard. */
export function environmentGuard(environment: Environment): Guard {
  return function environmentOf(send, next) {
    for (const refusal of environment.closed) send.refuse(refusal);
    if (environment.mode === "test" && environment.closed.length === 0) judge(send, environment);
    return next();
  };
}

function judge(send: Send, environment: Environment): void {
  const outside = countOutside(send, environment);
  if (outside === 0) return;
  const { notAllowed } = environment;
  if (notAllowed.kind !== "refuse") {
    send.divert(notAllowed.kind === "redirect" ? { kind: "redirect", to: notAllowed.to } : { kind: notAllowed.kind });
    return;
  }
  send.refuse({
    code: "NOT_ALLOWLISTED",
    message: `Expected every recipient on the allowlist of "${environment.name}" (${allowText(environment.allow.describe())}), got ${outside} off it.`,
    fix: `Add them to environments.${environment.name}.allow, or set onNotAllowed to "drop", "capture" or { redirectTo }.`,
  });
}

/** How many recipients the allowlist does not cover; people nobody here knows count as one. */
function countOutside(send: Send, environment: Environment): number {
  const { intent, messages } = send;
  const unread = intent.kind === "system" && messages.every((message) => message.recipients.length === 0);
  const opaque = (intent.kind === "audience" || unread) && !environment.allow.describe().everything ? 1 : 0;
  let outside = opaque;
  for (const message of send.messages) {
    for (const recipient of message.recipients) {
      if (recipient.address === send.redirectedTo) continue;
      if (!environment.allow.allows(recipient)) outside++;
    }
  }
  return outside;
}
