/**
 * What went wrong, in words: a login that is over, a form of somebody else, a refusal of the fuse.
 *
 * @module
 */
import { MailfuseError } from "../../errors";
import { page } from "../answer";
import { html, told } from "../html";
import type { Visit } from "../visit";
import { layout } from "./layout";

/** What went wrong, where the fuse did not say it. */
export type Problem =
  | "login"
  | "role"
  | "cross-site"
  | "forged"
  | "expired"
  | "replayed"
  | "too-many"
  | "too-large"
  | "no-form"
  | "not-found"
  | "misdirected"
  | "not-yours"
  | "no-reason"
  | "broken";

const problems: Readonly<Record<Problem, readonly [title: string, what: string]>> = {
  login: [
    "Log in first",
    "Expected somebody who is logged in, got nobody. Nothing was changed. Log in and open the page again.",
  ],
  role: ["You may look", "Expected somebody with a role, got somebody without any. Nothing was changed."],
  "cross-site": [
    "Not from this console",
    "Expected a form of this console, got one from elsewhere. Nothing was changed. Behind a proxy, the console has to be given its `origin`.",
  ],
  forged: [
    "Not as it was shown",
    "Expected the form as this console made it, for you and for the plan as it stands, got another one. Nothing was changed. Open the page again and look at what it says now.",
  ],
  expired: [
    "Too late",
    "Expected a form of the last half hour, got an older one. Nothing was changed. Open the page again.",
  ],
  replayed: [
    "Sent already",
    "Expected a form that was not sent before, got one a second time. Nothing was changed by it.",
  ],
  "too-many": ["Too many tries", "Expected a few tries in a minute, got more. Nothing was changed. Wait a minute."],
  "too-large": ["Too large", "Expected a form of at most 64 kB, got more. Nothing was changed."],
  "no-form": ["Not a form", "Expected a form of this console, got something else. Nothing was changed."],
  "not-found": ["Not found", "There is no such page."],
  misdirected: ["Another host", "Expected a request for this console's own origin, got one for another host."],
  "not-yours": [
    "Not your confirmation",
    "Expected a confirmation signed by yourself, got somebody else's or none. Nothing was changed.",
  ],
  "no-reason": ["Say why", "Expected a reason in a sentence, got none. Nothing was changed."],
  broken: ["Something broke", "The console could not answer. The logs of the application may say why."],
};

/** A page that says what went wrong. */
export function problemPage(
  visit: Pick<Visit, "base" | "options" | "fuse"> & Partial<Pick<Visit, "actor">>,
  status: number,
  problem: Problem | MailfuseError,
): Response {
  const refusals = MailfuseError.isInstance(problem) ? problem.refusals.slice(0, 20) : [];
  const [title, what] = MailfuseError.isInstance(problem) ? ["Refused", ""] : problems[problem];
  const content = html`<h1>${title}</h1>
${what && html`<p>${what}</p>`}
${refusals.map(({ code, message, fix }) => html`<section class="card refused"><h2><code>${code}</code></h2><p>${told(message)}</p>${fix && html`<p><strong>What to do:</strong> ${told(fix)}</p>`}</section>`)}
<p><a href="${visit.base}/">Back to the overview</a></p>`;
  // Who is not logged in learns nothing, not even which environment this is.
  const known = visit.actor ? { actor: visit.actor } : {};
  return page(layout({ base: visit.base, fuse: visit.fuse, ...known }, title, content), status);
}
