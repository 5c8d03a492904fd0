/**
 * Mailgun: `mailgun.js`, from `mailfuse/mailgun`.
 *
 * ```ts
 * import { mailgunAdapter } from "mailfuse/mailgun";
 *
 * const mg = new Mailgun(FormData).client({ username: "api", key: process.env.MAILGUN_API_KEY });
 * fuse.attach(mg, mailgunAdapter());
 * ```
 *
 * The choke point is `client.request`, which all sub-clients share: `requestProvider.makeRequest`
 * is the last step, and mail is read at `postWithFD`, before it becomes a form. Requests that are
 * put together by hand (`client.request.post(…/messages)`) are refused.
 *
 * API: https://documentation.mailgun.com/docs/mailgun/api-reference
 *
 * @module
 */
import { type Adapter, type ClientNames, unsupported } from "../src/adapter";
import { MailgunCalls } from "./mailgun/calls";
import { chokePoint, type MailgunClient } from "./mailgun/choke-point";
import { mailgunCodecFor } from "./mailgun/codec";

/** What the adapter takes: a client of mailgun.js 12 or later. */
export interface Mailgun {
  readonly messages: { create(domain: string, data: never): Promise<unknown> };
  readonly lists: object;
  readonly suppressions: object;
}

/** Options of {@link mailgunAdapter}. */
export interface MailgunOptions {
  /**
   * Reads the text of templates from Mailgun before each mail that names one, so that guards and
   * plans see it. Costs one request per such mail.
   *
   * @default false
   */
  readonly resolveTemplates?: boolean;
  /**
   * `messages.resendEmail` sends a message that Mailgun has stored to other people. Its text is not
   * known here. `"judge"` judges it by its recipients.
   *
   * @default "refuse"
   */
  readonly storedMessages?: "refuse" | "judge";
  /**
   * Creating and changing mailing lists and their members changes whom a later mail to the list's
   * address reaches. Removing members always passes.
   *
   * @default "refuse"
   */
  readonly listWrites?: "refuse" | "pass";
}

/** Reads and answers Mailgun's API. */
export const mailgunCodec = mailgunCodecFor({ storedMessages: "refuse", listWrites: "refuse" });

const names: ClientNames = {
  expected: "a client made by new Mailgun(FormData).client(…) of mailgun.js 12 or later",
  short: "Mailgun client",
  pass: "the client",
};

/**
 * The adapter for `mailgun.js`.
 *
 * @example
 * ```ts
 * fuse.attach(mg, mailgunAdapter({ resolveTemplates: true }));
 * ```
 * @throws MailfuseError `ATTACH_UNSUPPORTED` from `attach` for other objects, and for clients whose
 * functions other code has replaced.
 */
export function mailgunAdapter(options: MailgunOptions = {}): Adapter<Mailgun> {
  const { resolveTemplates = false, storedMessages = "refuse", listWrites = "refuse" } = options;
  const codec = mailgunCodecFor({ storedMessages, listWrites });
  return {
    name: "mailgun",
    attach(target, gate) {
      if (!isClient(target)) throw unsupported(names, "another object");
      const choke = chokePoint(target);
      if (!choke) throw unsupported(names, "a client whose request functions other code has replaced");
      const calls = new MailgunCalls(target.request, choke, gate, codec, resolveTemplates);
      const leave = choke.enter({ make: calls.make, post: calls.post });
      const account = calls.account();
      return {
        ...(account === undefined ? {} : { account }),
        detach: leave,
        verify: choke.verify,
        revive: (spooled) => calls.revive(spooled),
      };
    },
  };
}

function isClient(target: object): target is Mailgun & MailgunClient {
  const { request, messages } = target as Partial<MailgunClient>;
  if (typeof request !== "object" || request === null || typeof messages !== "object" || messages === null)
    return false;
  const { postWithFD, get, requestProvider, url } = request as Partial<MailgunRequestShape>;
  return (
    [postWithFD, get, requestProvider?.makeRequest].every((one) => typeof one === "function") && typeof url === "string"
  );
}

type MailgunRequestShape = MailgunClient["request"];
