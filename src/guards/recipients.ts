/**
 * Judges who is addressed: somebody must be, a list address must be declared, and people outside
 * must not be shown to each other.
 *
 * @module
 */
import type { Allowlist } from "../allowlist";
import type { Guard, Send } from "../guard";
import type { Message, Recipient } from "../message";

/** What of the configuration this guard reads. */
export interface RecipientPolicy {
  /** Addresses that may see each other. */
  readonly internal: Allowlist;
  /** Addresses that are lists. */
  readonly lists: Allowlist;
  /** Declared audiences by lower-case id, list addresses among them. */
  readonly audiences: ReadonlyMap<string, number>;
}

/** Makes the guard. */
export function recipientsGuard(policy: RecipientPolicy): Guard {
  return function recipients(send, next) {
    for (const part of send.parts) {
      for (const message of part.messages) {
        if (message.recipients.length === 0) refuseNobody(send);
        refuseLists(send, message, policy);
        refuseVisible(send, message, part.purpose.maxVisible, policy.internal);
      }
    }
    if (send.intent.kind === "send" && send.messages.length === 0) refuseNobody(send);
    return next();
  };
}

function refuseNobody(send: Send): void {
  if (send.intent.kind !== "send") return;
  send.refuse({
    code: "NO_RECIPIENTS",
    message: "Expected at least one recipient, got none.",
    fix: "Refuse an empty audience where it is computed: some clients read it as everyone.",
  });
}

function refuseLists(send: Send, message: Message, policy: RecipientPolicy): void {
  const lists = message.recipients.filter((recipient) => isListAddress(recipient, policy.lists));
  if (lists.length === 0) return;
  if (lists.some((list) => !policy.audiences.has(list.person))) {
    send.refuse({
      code: "AUDIENCE_UNDECLARED",
      message:
        "Expected addresses of single people, got one that looks like a mailing list, whose size nobody here knows.",
      fix: 'Declare it: audiences: { "<address>": { people: <largest size> } }; with 1 if it is one person\'s mailbox.',
    });
    return;
  }
  const many = lists.some((list) => (policy.audiences.get(list.person) ?? 0) > 1);
  if (many && send.stage === "single") {
    send.refuse({
      code: "CONFIRMATION_REQUIRED",
      message: "Expected a confirmed release for mail to a declared list, got a single call.",
      fix: "Plan it with fuse.plan, have it confirmed, and release it.",
    });
  }
}

// Names under which mailing lists commonly stand. Closed on purpose: names of shared mailboxes
// (info, team, sales, support) are left out, since one desk reads them.
const listLocalParts = new Set([
  ...["all", "everyone", "everybody", "list", "lists", "listserv", "majordomo", "mailman", "subscribers", "members"],
  ...["customers", "all-customers", "users", "all-users", "all-staff", "all-hands", "allhands", "company", "announce"],
  ...["announcements", "newsletter", "broadcast", "distribution", "mailinglist", "mailing-list"],
]);
const listAffixes =
  /^(?:all|everyone|everybody|list|announce)[-_.]|[-_.](?:all|everyone|everybody|list|announce|subscribers|members)$/;
const listLabels = new Set([
  "list",
  "lists",
  "listserv",
  "mailman",
  "groups",
  "googlegroups",
  "mailinglist",
  "mailinglists",
  "newsletter",
]);

function isListAddress(recipient: Recipient, declared: Allowlist): boolean {
  const at = recipient.person.lastIndexOf("@");
  const local = recipient.person.slice(0, at);
  if (listLocalParts.has(local) || listAffixes.test(local)) return true;
  const labels = recipient.person.slice(at + 1).split(".");
  // The last label is the top-level domain; it never names a list server.
  for (let index = 0; index < labels.length - 1; index++) if (listLabels.has(labels[index] as string)) return true;
  return declared.allows(recipient);
}

function refuseVisible(send: Send, message: Message, maxVisible: number, internal: Allowlist): void {
  // Fewer than that cannot be too many: the everyday mail to one person costs one comparison.
  if (message.recipients.length <= maxVisible) return;
  const outside = new Set<string>();
  for (const recipient of message.recipients) {
    if (recipient.field !== "bcc" && !internal.allows(recipient)) outside.add(recipient.person);
  }
  if (outside.size <= maxVisible) return;
  send.refuse({
    code: "RECIPIENTS_VISIBLE",
    message: `Expected at most ${maxVisible} outside addresses in To and Cc, got ${outside.size}: everyone would see everyone.`,
    fix: "Send one mail to each, or raise `maxVisible` for this purpose; colleagues go under `internal`.",
  });
}
