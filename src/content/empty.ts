/**
 * Mail without a subject, or without anything to read.
 *
 * @module
 */

import type { Finding, Places } from "./places";
import { shown } from "./running";

/**
 * Looks for an empty subject or body. Where the text is not fully known here, it says nothing. A file is
 * a body (an invoice with a subject and no text is everyday mail); it is no subject.
 */
export function findEmpty(places: Places, attached: () => boolean): Finding | undefined {
  const { content, subject, text, page } = places;
  if (content.unbound !== undefined || content.template !== undefined) return undefined;
  if (subject === undefined || !shown.test(subject)) return { got: "none", part: "subject" };
  const html = content.html !== undefined && shown.test(content.html);
  // Where there is HTML, people see the HTML; a plain text beside it does not help them.
  if (html)
    return page?.visible || attached()
      ? undefined
      : { got: "HTML that shows nothing: no text and no picture", part: "html" };
  return (text !== undefined && shown.test(text)) || attached()
    ? undefined
    : { got: "a mail without a text", part: "text" };
}
