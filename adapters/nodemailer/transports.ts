/**
 * Settings of a transport that reach recipients past the envelope.
 *
 * @module
 */
import { parseAddresses, type Refusal } from "../../src/adapter";
import type { MailTransport, TransportKind } from "./shapes";

/** Why no mail may leave through a transport as it is set now. Options are mutable: asked per mail. */
export function transportProblems(transport: MailTransport, kind: TransportKind): Refusal[] {
  if (kind === "smtp" || kind === "pool") {
    // nodemailer before 8 writes the name into EHLO as it is: a line break starts a command.
    const name = transport.options?.name;
    if (typeof name === "string" && /\p{Cc}/u.test(name)) return [brokenName];
  }
  return kind === "sendmail" ? sendmailProblems((transport as { args?: unknown }).args) : [];
}

const brokenName: Refusal = {
  code: "FIELD_UNKNOWN",
  message: "Expected the transport's `name` to be a host name, got one with control characters.",
  fix: "Correct `name` where the transport is created.",
  where: "transport.options.name",
};

/** sendmail's options that take a value, beside it or as the next argument. */
const withValue = "BCDFLNOoRVXfhpqr";

/** Arguments that take recipients from the message, or are recipients themselves. */
function sendmailProblems(args: unknown): Refusal[] {
  if (!Array.isArray(args)) return [];
  for (let i = 0; i < args.length; i++) {
    const arg = String(args[i]);
    if (arg === "--") continue;
    if (arg.startsWith("--")) {
      if (/^--(?:read-recipients|to|cc|bcc|recipient)/.test(arg)) return [readsRecipients];
    } else if (arg.startsWith("-")) {
      for (let at = 1; at < arg.length; at++) {
        const letter = arg[at] as string;
        if (letter === "t") return [readsRecipients];
        if (!withValue.includes(letter)) continue;
        // `-oi` and its like are whole options; others take the next argument when nothing follows.
        if (at === arg.length - 1 && letter !== "o" && letter !== "q") i++;
        break;
      }
    } else if (parseAddresses(arg, "args", "list").addresses.length > 0 || arg.includes("@")) {
      return [namesRecipient];
    }
  }
  return [];
}

const readsRecipients: Refusal = {
  code: "FIELD_UNKNOWN",
  message:
    "Expected sendmail arguments that leave the recipients to the envelope, got `-t`, which reads them from the text.",
  fix: "Remove `-t` from `args`: nodemailer hands every recipient over by itself.",
  where: "transport.options.args",
};

const namesRecipient: Refusal = {
  code: "FIELD_UNKNOWN",
  message: "Expected sendmail arguments without recipients, got one that every mail would go to.",
  fix: "Remove it from `args`, and put it into `bcc` where it is meant.",
  where: "transport.options.args",
};
