/**
 * What test mode does with mail that the allowlist does not let out: drop it, keep it for tests
 * and previews, or send a marked copy to an inbox.
 *
 * @module
 */
import type { Address } from "../adapter";
import type { Core, ReleaseFrame } from "../core";
import { MailfuseError } from "../errors";
import type { Exit } from "../exit";
import type { Diversion } from "../guard";
import { divertedEvent, settledEvent } from "../ledger/events";
import type { Message } from "../message";
import type { Judged } from "../send";
import type { Passing } from "./passage";

/** How many captured mails a fuse keeps; the oldest go first. */
const outboxSize = 1_000;

/** Diverts a judged call and answers as its client would. */
export async function divert<Result>(exit: Exit, from: Passing<Result>, diversion: Diversion): Promise<Result> {
  const { core } = exit;
  const { call, send, frame } = from;
  const event = divertedEvent(send, core.settings.policyDigest, diversion.kind);
  core.log.info(
    { id: send.id, how: diversion.kind, messages: send.messages.length },
    `test mode: mail off the allowlist, ${diversion.kind}`,
  );
  if (diversion.kind === "redirect") {
    core.background(core.store.append([event]), "a diverted mail");
    return redirect(exit, from, diversion.to);
  }
  if (frame?.release) await endEntry(core, send, frame.release, event);
  else core.background(core.store.append([event]), "a diverted mail");
  if (diversion.kind === "capture") for (const message of send.messages) capture(exit, send, message);
  return call.simulate(diversion.kind === "drop" ? "dropped" : "captured");
}

/** An entry that a test environment keeps back is done, or its release would never end. */
async function endEntry(core: Core, send: Judged, release: ReleaseFrame, event: string): Promise<void> {
  const entry = { plan: release.plan, index: release.index };
  const [answer] = await core.store.reserve([
    { id: send.id, scopes: [], once: [], entry, caps: [], rates: [], event, seen: core.seen },
  ]);
  if (!answer?.ok) return;
  const fate = "accepted";
  await core.store.settle([{ reservation: send.id, fate, event: settledEvent(send.id, { fate }, send.pseudonym) }]);
  release.settled({ fate });
}

async function redirect<Result>(exit: Exit, { call, send, held }: Passing<Result>, to: Address): Promise<Result> {
  const originals = send.messages.flatMap((message) => message.recipients.map((recipient) => recipient.address));
  const copy = await call.redirect(to, {
    subjectPrefix: `[${send.environment}]`,
    originals: [...new Set(originals)].slice(0, 100),
  });
  const messages = "messages" in copy.intent ? copy.intent.messages : [];
  const stray =
    messages.length === 0 ||
    messages.some((message) => message.recipients.some((recipient) => recipient.address !== to.address));
  if (stray) {
    throw new MailfuseError({
      code: "INTERNAL",
      message: "Expected a redirected mail to reach the redirect inbox alone, got another recipient; nothing was sent.",
    });
  }
  return exit.pass(copy, held, { to: to.address, purpose: send.parts[0]?.purpose });
}

function capture(exit: Exit, send: Judged, message: Message): void {
  const { core } = exit;
  const of = (field: "to" | "cc" | "bcc") =>
    message.recipients.filter((recipient) => recipient.field === field).map((recipient) => recipient.address);
  const { subject, text, html } = message.content();
  core.outbox.push({
    provider: send.provider,
    purpose: send.parts.find((part) => part.messages.includes(message))?.purpose.name ?? "",
    to: of("to"),
    cc: of("cc"),
    bcc: of("bcc"),
    ...(subject === undefined ? {} : { subject }),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
    at: send.at,
  });
  if (core.outbox.length > outboxSize) core.outbox.shift();
}
