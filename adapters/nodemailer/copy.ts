/**
 * The one copy of a mail: envelope, rendered bytes and, for transports that read it, the message
 * data. Begun at the choke point ({@link takeGiven}); only this is judged and delivered.
 *
 * @module
 */
import { type Gate, type HeaderBlock, readHeaders } from "../../src/adapter";
import { renderBounds } from "./bounds";
import { bufferTree, hasStreams, settleContents } from "./contents";
import type { Given } from "./given";
import { type Rendering, startRendering } from "./render";
import { type MailMessage, type MailTransport, readsData } from "./shapes";
import type { Shortcut } from "./shortcut";
import { transportProblems } from "./transports";

/** A mail as it will be delivered. */
export interface MailCopy extends Given {
  /** The whole message, signed. */
  readonly bytes: Buffer;
  readonly block: HeaderBlock;
  /** How the bytes came about; missing where the bytes came from a spool. */
  readonly rendering?: Rendering;
}

/** What a copy is finished with. */
export interface CopyPolicy {
  readonly transport: MailTransport;
  readonly limits: Gate["limits"];
  readonly shortcut: Shortcut;
}

/** Reads the contents, once, and renders. Throws nodemailer's own errors for what cannot be rendered. */
export async function finishCopy(mail: MailMessage, given: Given, policy: CopyPolicy): Promise<MailCopy> {
  const { kind, data } = given;
  const { message } = mail;
  const problems = [...transportProblems(policy.transport, kind), ...given.problems];
  const bounds = renderBounds(policy.limits, data.signal);
  if (readsData(kind)) await settleContents(data, mail, bounds);
  if (hasStreams(message)) await bufferTree(message, bounds);
  // Most mail is rendered at once, and waiting for what is there already costs several promises.
  const begun = startRendering(mail, kind, bounds, policy.shortcut);
  const rendering = begun instanceof Promise ? await begun : begun;
  const signing = rendering.sign(rendering.unsigned, bounds);
  const bytes = signing instanceof Promise ? await signing : signing;
  return { ...given, problems, bytes, block: readHeaders(bytes), rendering };
}
