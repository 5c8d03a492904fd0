/**
 * Audience caps: how many distinct people a purpose, and everything together, may reach in one
 * message, one call, and any window of time. Windows are spent in the store's one atomic step.
 *
 * @module
 */
import type { Explain, Guard, Naming, Part, Send } from "../guard";
import { type Cap, everything, type PersonCap, type Purpose, purposeScope } from "../purpose";
import type { CapSpend } from "../store";

/** What of the configuration this guard reads. */
export interface CapPolicy {
  readonly caps: readonly Cap[];
  /** The redirect inbox's own cap, where test mode redirects. */
  readonly redirect?: PersonCap;
}

/** Makes the guard. */
export function capsGuard(policy: CapPolicy): Guard {
  const prepared = new WeakMap<Purpose | CapPolicy, Prepared>();
  const boundsOf = (send: Send, owner: Purpose | CapPolicy, scope: string): Prepared => {
    const known = prepared.get(owner);
    if (known && known.namings === send.namings && known.enforce === enforces(send)) return known;
    const made = prepare(send, owner.caps, scope);
    prepared.set(owner, made);
    return made;
  };
  return function caps(send, next) {
    if (send.redirectedTo !== undefined) {
      if (policy.redirect) spendRedirect(send, send.redirectedTo, policy.redirect);
      return next();
    }
    for (const part of send.parts) {
      const { purpose } = part;
      if (purpose.caps.length > 0) judge(send, part, boundsOf(send, purpose, purposeScope(purpose.name)));
      requireConfirmation(send, part);
      for (const cap of purpose.perPerson) spendPerPerson(send, part, cap);
    }
    if (policy.caps.length > 0) judge(send, together(send.parts), boundsOf(send, policy, everything));
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

/** What caps ask for but for the people: the same for every mail of a fuse. */
interface Prepared {
  readonly namings: readonly Naming[];
  readonly enforce: boolean;
  readonly windows: readonly {
    readonly naming: Naming;
    readonly cap: Omit<CapSpend, "people">;
    readonly explain: Explain;
  }[];
  /** On one call or one message. */
  readonly others: readonly { readonly cap: Cap; readonly explain: Explain }[];
}

function prepare(send: Send, caps: readonly Cap[], scope: string): Prepared {
  const enforce = enforces(send);
  const explained = caps.map((cap) => ({ cap, explain: exceeded(scope, cap) }));
  return {
    namings: send.namings,
    enforce,
    windows: explained
      .filter(({ cap }) => cap.per === "window")
      .flatMap(({ cap, explain }) =>
        send.namings.map((naming) => ({ naming, cap: windowOf(send, cap, scope, naming.id), explain })),
      ),
    others: explained.filter(({ cap }) => cap.per !== "window"),
  };
}

function windowOf(send: Send, cap: Cap, scope: string, naming: string): Omit<CapSpend, "people"> {
  const enforce = enforces(send);
  const { windowMs, people: limit } = cap;
  const reason = `the cap of ${limit} people per ${windowMs / 1000} s was reached`;
  return {
    key: windowKey(send.environment, scope, windowMs, naming),
    windowMs,
    limit,
    enforce,
    ...(cap.onExceeded === "halt" && enforce ? { haltOnExceeded: { scope, reason, by: "cap" } } : {}),
  };
}

function enforces(send: Send): boolean {
  return send.mode !== "observe";
}

function judge(send: Send, part: Counted, { windows, others }: Prepared): void {
  for (const { naming, cap, explain } of windows) {
    // What is new stands first: the engine makes a shape of its own for each copy that something is added to.
    send.spend({ cap: { people: part.pseudonyms(naming), ...cap }, explain });
  }
  for (const { cap, explain } of others) {
    const largest =
      cap.per === "call" ? part.people.size : Math.max(0, ...part.messages.map((message) => message.recipients.length));
    if (largest > cap.people) send.refuse(explain({ limit: cap.people, used: 0, wanted: largest }));
  }
}

/**
 * The name of a window's set of people; plans spend the same one. Each way of naming people has a set of its own: while
 * the secret is being changed, the former one's goes on and the new one's fills, and neither counts anybody twice.
 */
export function windowKey(environment: string, scope: string, windowMs: number, naming: string): string {
  return `${environment}:${scope}:${windowMs}:${naming}`;
}

function exceeded(scope: string, cap: Cap): Explain {
  const of = scope === everything ? "everything" : `the purpose "${scope.slice(purposeScope("").length)}"`;
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
