/**
 * Renders a template with full data: every placeholder gets a plausible value by its name, every
 * branch is taken once. Engines' own semantics do not matter here; what a reader sees does.
 *
 * @module
 */
import { type Engine, expressionEnd, type Template } from "./templates";

/** A place in a template that takes a value. */
export interface Slot {
  readonly name: string;
  /** The placeholder as the template writes it. */
  readonly source: string;
  readonly index: number;
}

/** A rendered mail. */
export interface Mail {
  readonly subject: string;
  readonly html?: string;
  readonly text?: string;
}

/** Renders; `value` decides what each slot gets. */
export function render(template: Template, value: (slot: Slot) => string): Mail {
  let index = 0;
  const fill = (source: string) =>
    fillEngine(template.engine, source, (name, own) => value({ name, source: own, index: index++ }));
  const html = template.html === undefined ? undefined : markup(fill(template.html));
  const text = template.text === undefined ? undefined : fill(template.text);
  const title = html === undefined ? undefined : /<title>\s*((?!\*\|MC)[^<]{4,120}?)\s*<\/title>/.exec(html)?.[1];
  const subject = template.subject ? fill(template.subject) : (title ?? "News of your account");
  return { subject, ...(html === undefined ? {} : { html }), ...(text === undefined ? {} : { text }) };
}

const values: readonly (readonly [RegExp, string])[] = [
  [/styles?$|css|indent/i, ""],
  [/colou?r|background|accent/i, "#1f6feb"],
  [/logo|image|img|icon|avatar|cover|picture/i, "https://cdn.acme.com/logo.png"],
  [/url|link|href|site|origin|host|domain|path/i, "https://app.acme.com/a/x7Kq2"],
  [/e-?mail/i, "ana.ruiz@acme.com"],
  [/first/i, "Ana"],
  [/last/i, "Ruiz"],
  [/year/i, "2026"],
  [/date|time|expir|day|period|created|at$/i, "12 March 2026"],
  [/price|total|amount|cost|tax|discount|subtotal|balance/i, "€49.90"],
  [/count|num|qty|quantity|length|index|size|width|height/i, "3"],
  [/token|code|otp|pin|key/i, "482913"],
  [/name|user|author|member|customer|by|owner|login/i, "Ana Ruiz"],
  [/title|subject/i, "Your account"],
  [/lang|locale/i, "en"],
];

/** A plausible value for a name. */
export function plausible({ name }: Slot): string {
  return values.find(([pattern]) => pattern.test(name))?.[1] ?? "Harbour Lane";
}

type Take = (name: string, source: string) => string;

function fillEngine(engine: Engine, source: string, take: Take): string {
  if (engine === "handlebars" || engine === "liquid") return fillBraces(source, take);
  if (engine === "ejs") return fillEjs(source, take);
  if (engine === "literal") return fillLiteral(source, take);
  return source;
}

function fillBraces(source: string, take: Take): string {
  return source
    .replace(/\{\{!--[\s\S]*?--\}\}|\{\{![^}]*\}\}|\{#[\s\S]*?#\}|\{%[\s\S]*?%\}/g, "")
    .replace(/\{\{\{?[~-]?\s*([#/^>&]?)([\s\S]*?)\s*[~-]?\}?\}\}/g, (whole, sign: string, inner: string) => {
      if ((sign !== "" && sign !== "&") || /^(?:else|yield|block|body$)/.test(inner)) return "";
      const literal = /^(?:t|_|i18n|__)\s+(['"])(.*?)\1/.exec(inner)?.[2];
      if (literal !== undefined) return literal.replace(/\{(\w+)\}/g, (own, name: string) => take(name, own));
      return take(lastName(inner), whole);
    });
}

// In one pass: a value may be a placeholder itself, when that is the fault put in.
function fillEjs(source: string, take: Take): string {
  return source.replace(/<%([=-]?)([\s\S]*?)[-_]?%>/g, (whole, sign: string, inner: string) =>
    sign === "" ? "" : take(lastName(inner), whole),
  );
}

function fillLiteral(source: string, take: Take): string {
  let out = "";
  let from = 0;
  for (let at = source.indexOf("${"); at >= 0; at = source.indexOf("${", from)) {
    const end = expressionEnd(source, at + 2);
    if (end < 0) break;
    const whole = source.slice(at, end + 1);
    const inner = source.slice(at + 2, end);
    const literal = /^\s*t\(\s*(['"`])([\s\S]*?[^\\])\1/.exec(inner)?.[2];
    out += source.slice(from, at);
    // What is chosen or looped in code is markup of its own; a name is a value.
    if (literal !== undefined) out += literal.replace(/\{(\w+)\}/g, (own, name: string) => take(name, own));
    else if (!/[?`]|=>/.test(inner)) out += take(lastName(inner), whole);
    from = end + 1;
  }
  return out + source.slice(from);
}

/** The name that says most about a value: the last of a path, before filters. */
function lastName(inner: string): string {
  const words = (inner.split("|")[0] ?? "").match(/[A-Za-z_]\w*/g);
  return words?.at(-1) ?? "value";
}

/** MJML and Inky as the elements they become, as far as a reader is concerned. */
function markup(html: string): string {
  if (!/<mj-|<container|<columns/.test(html)) return html;
  return html
    .replace(/<mj-(?:button|navbar-link|social-element)\b/g, "<a")
    .replace(/<\/mj-(?:button|navbar-link|social-element)>/g, "</a>")
    .replace(/<mj-image\b/g, "<img")
    .replace(/<\/mj-image>/g, "")
    .replace(/<mj-(style|title)\b/g, "<$1")
    .replace(/<\/mj-(style|title)>/g, "</$1>")
    .replace(/<(\/?)(?:mj-[a-z-]+|mjml)\b/g, "<$1div");
}
