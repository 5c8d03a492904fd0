/**
 * One request of one person, as pages see it.
 *
 * @module
 */
import type { Clock } from "../clock";
import type { Fuse } from "../index";
import type { Actor, ConsoleOptions } from "./console";
import type { Forms, Limit } from "./forms";
import { type Html, html } from "./html";

/** What every page is given. */
export interface Visit {
  /** What links begin with. */
  readonly base: string;
  readonly origin: string;
  readonly url: URL;
  readonly request: Request;
  readonly fuse: Fuse;
  readonly actor: Actor;
  readonly forms: Forms;
  readonly tries: { readonly actor: Limit; readonly plan: Limit; readonly costly: Limit };
  readonly clock: Clock;
  readonly options: ConsoleOptions;
  /** What the address names, in its order. */
  readonly params: readonly string[];
  /** The fields of a form; empty for pages. */
  readonly form: URLSearchParams;
}

/** One page, or one thing a form does. */
export interface Route {
  readonly method: "GET" | "POST";
  readonly pattern: RegExp;
  /** Served to anybody: styles and scripts, which say nothing. */
  readonly open?: true;
  readonly answer: (visit: Visit) => Response | Promise<Response>;
}

/** A route, and what its address named. */
export interface Found {
  readonly route: Route;
  readonly params: readonly string[];
}

/** A form that does `action`; its token is bound to the person, the action and what was shown. */
export function formOf(
  visit: Pick<Visit, "base" | "forms" | "actor">,
  to: { readonly action: string; readonly path: string; readonly subject?: string; readonly digest?: string },
  content: Html,
): Html {
  const token = visit.forms.issue(boundOf(visit, to));
  return html`<form method="post" action="${visit.base}${to.path}" class="${to.action}">
<input type="hidden" name="token" value="${token}">${content}</form>`;
}

/** What a form's token is bound to. */
export function boundOf(
  { actor }: Pick<Visit, "actor">,
  {
    action,
    subject = "",
    digest = "",
  }: { readonly action: string; readonly subject?: string; readonly digest?: string },
) {
  return { actor: actor.id, action, subject, digest };
}
