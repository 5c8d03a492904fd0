/**
 * Audience caps: how many distinct people a purpose, and everything together, may reach in one
 * message, one call, and any window of time. Windows are spent in the store's one atomic step.
 *
 * @module
 */
import type { Explain, Guard, Part, Send } from "../guard";
import { type Cap, everything, type PersonCap, purposeScope } from "../purpose";

/** What of the configuration this guard reads. */
export interface CapPolicy {
  readonly caps: readonly Cap[];
  /** The redirect inbox's own cap, where test mode redirects. */
  readonly redirect?: PersonCap;
}

/** Makes the guard. */
export function capsGuard(policy: CapPolicy): Guard {
  return function caps(send, next) {
    if (send.redirectedTo !== undefined) {
      if (policy.redirect) spendRedirect(send, send.redirectedTo, policy.redirect);
      return next();
    }
    for (const part of send.parts) {
      const { purpose } = part;
      const of = `the purpose "${purpose.name}"`;
      for (const cap of purpose.caps) judge(send, part, cap, purposeScope(purpose.name), of);
      requireConfirmation(send, part);
      for (const cap of purpose.perPerson) spendPerPerson(send, part, cap);
    }
    for (const cap of policy.caps) judge(send, together(send.parts), cap, everything, "everything");
    return next();
  };
}

/** What a cap looks at: the messages and people of one purpose, or of the whole call. */
type Counted = Pick<Part, "messages" | "people" | "pseudonyms">;

// One set, not one after the other: two parts that fit singly may not fit together.
function together(parts: readonly Part[]): Counted {
  const [first, second] = parts;
  if (first && !second) return first;
  const people = new Set(parts.flatMap((part) => [...part.people]));
  return {
    messages: parts.flatMap((part) => part.messages),
    people,
    pseudonyms: (naming) => [...new Set(parts.flatMap((part) => part.pseudonyms(naming)))],
  };
}

function judge(send: Send, part: Counted, cap: Cap, scope: string, of: string): void {
  const enforce = send.mode !== "observe";
  if (cap.per === "window") {
    for (const naming of send.namings) {
      send.spend({
        cap: {
          key: windowKey(send.environment, scope, cap.windowMs, naming.id),
          windowMs: cap.windowMs,
          limit: cap.people,
          people: part.pseudonyms(naming),
          enforce,
          ...(cap.onExceeded === "halt" && enforce
            ? {
                haltOnExceeded: {
                  scope,
                  reason: `the cap of ${cap.people} people per ${cap.windowMs / 1000} s was reached`,
                  by: "cap",
                },
              }
            : {}),
        },
        explain: exceeded(of, cap),
      });
    }
    return;
  }
  const largest =
    cap.per === "call" ? part.people.size : Math.max(0, ...part.messages.map((message) => message.recipients.length));
  if (largest > cap.people) send.refuse(exceeded(of, cap)({ limit: cap.people, used: 0, wanted: largest }));
}

/**
 * The name of a window's set of people; plans spend the same one. Each way of naming people has a set of its own: while
 * the secret is being changed, the former one's goes on and the new one's fills, and neither counts anybody twice.
 */
export function windowKey(environment: string, scope: string, windowMs: number, naming: string): string {
  return `${environment}:${scope}:${windowMs}:${naming}`;
}

function exceeded(of: string, cap: Cap): Explain {
  const per = cap.per === "window" ? `${cap.windowMs / 1000} s` : cap.per;
  return ({ limit, used, wanted }) => ({
    code: "CAP_EXCEEDED",
    message: `Expected ${of} to reach at most ${limit} people per ${per}, got ${used} already reached and ${wanted} more.`,
    fix:
      cap.onExceeded === "halt"
        ? "It is now halted. Find out why there are so many; then raise the cap or resume with `npx mailfuse resume`."
        : "Find out why there are so many; then raise the cap, or plan the mail so that people confirm it.",
  });
}

/** Beyond `abovePeople` in the longest window, people have to look before more mail leaves. */
function requireConfirmation(send: Send, part: Part): void {
  const { confirm, caps, name } = part.purpose;
  if (send.stage !== "single" || !Number.isFinite(confirm.abovePeople)) return;
  const windowMs = Math.max(0, ...caps.map((cap) => cap.windowMs)) || 3_600_000;
  const explain: Explain = ({ limit, used, wanted }) => ({
    code: "CONFIRMATION_REQUIRED",
    message: `Expected a confirmed plan for more than ${limit} people of the purpose "${name}" per ${windowMs / 1000} s, got ${used} reached and ${wanted} more.`,
    fix: "Plan the mail with fuse.plan, or declare a purpose whose caps fit it.",
  });
  if (confirm.abovePeople === 0) {
    send.refuse(explain({ limit: 0, used: 0, wanted: part.people.size }));
    return;
  }
  for (const naming of send.namings) {
    send.spend({
      cap: {
        // A set of its own: a release may fill the cap's window without using up this one.
        key: `${windowKey(send.environment, purposeScope(name), windowMs, naming.id)}:unconfirmed`,
        windowMs,
        limit: confirm.abovePeople,
        people: part.pseudonyms(naming),
        enforce: send.mode !== "observe",
      },
      explain,
    });
  }
}

function spendPerPerson(send: Send, part: Part, cap: PersonCap): void {
  const explain: Explain = ({ limit, used, wanted }) => ({
    code: "CAP_EXCEEDED",
    message: `Expected at most ${limit} messages of the purpose "${part.purpose.name}" to one person per ${cap.windowMs / 1000} s, got ${used} sent and ${wanted} more.`,
    fix: "Find out what repeats; then raise `perPerson`, or give the send an idempotencyKey.",
  });
  for (const [person, count] of messagesByPerson(part)) {
    for (const { pseudonym } of send.namings) {
      send.spend({
        rate: {
          // Joined and not a template: the engine keeps a template as its pieces, and stores keep very many of these.
          key: [send.environment, "person", part.purpose.name, pseudonym(person), cap.windowMs].join(":"),
          windowMs: cap.windowMs,
          limit: cap.messages,
          messages: count,
          enforce: send.mode !== "observe",
        },
        explain,
      });
    }
  }
}

/** How many of a part's messages go to each person. */
function messagesByPerson({ messages }: Part): Iterable<readonly [person: string, messages: number]> {
  const [first] = messages;
  const [recipient] = first?.recipients ?? [];
  if (recipient && messages.length === 1 && first?.recipients.length === 1) return [[recipient.person, 1]];
  const counts = new Map<string, number>();
  for (const message of messages) {
    for (const person of new Set(message.recipients.map((one) => one.person))) {
      counts.set(person, (counts.get(person) ?? 0) + 1);
    }
  }
  return counts;
}

function spendRedirect(send: Send, inbox: string, cap: PersonCap): void {
  for (const { pseudonym } of send.namings) {
    send.spend({
      rate: {
        key: `${send.environment}:redirect:${pseudonym(inbox)}:${cap.windowMs}`,
        windowMs: cap.windowMs,
        limit: cap.messages,
        messages: send.messages.length,
        enforce: true,
      },
      explain: ({ limit, used }) => ({
        code: "REDIRECT_CAP_EXCEEDED",
        message: `Expected at most ${limit} redirected messages per ${cap.windowMs / 1000} s, got ${used} sent already.`,
        fix: 'Set onNotAllowed to "drop" or "capture" for such volumes, or raise onNotAllowed.cap.',
      }),
    });
  }
}
