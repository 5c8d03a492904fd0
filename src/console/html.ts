/**
 * HTML with every value escaped. A library for this brings a web framework along (hono/html comes
 * with hono); the whole of it is below.
 *
 * @module
 */

/** Markup that is safe as it stands. Only {@link html} makes it. */
export class Html {
  constructor(readonly text: string) {}
}

/** What may stand in a template: text is escaped, lists are joined, nothing is nothing. */
export type Part = Html | string | number | undefined | null | false | readonly Part[];

/** A template whose values are escaped, for text and for attributes in double quotes. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.reduce((text, string, at) => text + render(parts[at - 1]) + string));
}

/** A text from elsewhere, whose direction of reading ends with it. */
export function told(text: string | undefined): Html {
  return html`<bdi>${text}</bdi>`;
}

function render(part: Part): string {
  if (part instanceof Html) return part.text;
  if (part === undefined || part === null || part === false) return "";
  return typeof part === "object" ? part.map(render).join("") : escaped(String(part));
}

const signs: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Also makes visible what a browser would obey: control characters, and marks that turn the direction of reading. */
function escaped(text: string): string {
  return text
    .replace(/[^\P{Cc}\n\t]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, "\ufffd")
    .replace(/[&<>"']/g, (sign) => signs[sign] as string);
}
