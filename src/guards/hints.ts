/**
 * Refuses nothing. While a fuse observes, mail that names no purpose is noted with its tag or
 * template, so that `fuse.suggest` can say which purposes there are.
 *
 * @module
 */
import type { Guard, Part, Send } from "../guard";

/** Makes the guard. */
export function hintsGuard(): Guard {
  return function hints(send, next) {
    if (send.mode === "observe" && send.stage === "single") {
      for (const part of send.parts) if (!part.purpose.declared) note(send, part);
    }
    return next();
  };
}

/** So many hints of one call are kept: a call of a thousand mails is about one thing or about nothing. */
const most = 5;

function note(send: Send, part: Part): void {
  const found = new Set<string>();
  for (const message of part.messages) {
    const tag = message.tags.find(isName);
    const template = tag === undefined ? message.content().template?.id : undefined;
    if (tag !== undefined) found.add(`tag=${tag}`);
    else if (template !== undefined && /^[\w .:-]{1,60}$/.test(template)) found.add(`template=${template}`);
    if (found.size >= most) break;
  }
  for (const hint of found) send.note("hint", hint);
}

/**
 * The name of a kind of mail, and not of a person or an order: those are tags as well, and have no
 * place in the ledger. So nothing with an `@`, and no run of five digits.
 */
function isName(text: string): boolean {
  return /^[a-z0-9][\w .:-]{0,39}$/i.test(text) && !/\d{5}/.test(text);
}
