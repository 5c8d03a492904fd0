/**
 * The same mail leaves once: under an idempotency key, or where the purpose declares a window in
 * which one person gets one text once. Never implied: a second password reset is legitimate.
 *
 * @module
 */
import { hash } from "node:crypto";
import type { Guard, Part, Send } from "../guard";

/** How long an idempotency key is kept. Longer than any queue should retry. */
const keyLife = 7 * 86_400_000;
/** How long a send counts as under way before its process is taken to be dead. */
const leaseMs = 2 * 60_000;

/** Makes the guard. */
export function onceGuard(): Guard {
  return function once(send, next) {
    // A release's entries are claimed as such, and a redirected copy was judged before.
    if (send.stage !== "single" || send.redirectedTo !== undefined) return next();
    for (const part of send.parts) {
      if (send.context.idempotencyKey !== undefined) claimKey(send, part, String(send.context.idempotencyKey));
      if (part.purpose.duplicateWindowMs !== undefined) claimTexts(send, part, part.purpose.duplicateWindowMs);
    }
    return next();
  };
}

function claimKey(send: Send, part: Part, key: string): void {
  // One `fuse.run` may send several mails under its key, so people and place within it belong to it.
  const place = send.context.ordinal?.(together(part.pseudonyms())) ?? 0;
  // Under every name a person has: while the secret is being changed, what was claimed under the former one holds.
  for (const naming of send.namings) {
    const people = together(part.pseudonyms(naming));
    const digest = hash("sha256", JSON.stringify([key, people, place]), "base64url");
    send.spend({
      once: {
        key: [send.environment, "key", part.purpose.name, digest].join(":"),
        ttlMs: keyLife,
        onUnknown: part.purpose.onUnknown,
        leaseMs,
      },
    });
  }
}

function together(people: readonly string[]): string {
  return people.length === 1 ? (people[0] as string) : [...people].sort().join();
}

function claimTexts(send: Send, part: Part, windowMs: number): void {
  for (const message of part.messages) {
    const digest = message.digest();
    for (const { person } of message.recipients) {
      for (const { pseudonym } of send.namings) {
        send.spend({
          once: {
            key: [send.environment, "text", part.purpose.name, pseudonym(person), digest].join(":"),
            ttlMs: windowMs,
            onUnknown: part.purpose.onUnknown,
            leaseMs,
          },
        });
      }
    }
  }
}
