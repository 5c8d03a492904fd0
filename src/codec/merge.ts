/**
 * Merges data into text as providers do it, so that guards read what a person will read. What
 * cannot be merged here for sure is left, and said to be unbound.
 *
 * @module
 */
import type { Content } from "../message";
import type { Plain } from "../snapshot";
import { asRecord, field } from "./fields";

// Merging may multiply text; what a person reads is far below this.
const longest = 10_000_000;
const mostWork = 20_000_000;

/** Replaces every key by its value, in one pass. `undefined` when that would cost or grow too much. */
export function mergePairs(text: string, pairs: readonly (readonly [string, string])[]): string | undefined {
  const values = new Map(pairs.filter(([key]) => key !== ""));
  if (values.size === 0) return text;
  if (values.size * text.length > mostWork) return undefined;
  // Longer keys first, as alternatives of a pattern are tried in order.
  const keys = [...values.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(keys.map((key) => key.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")).join("|"), "g");
  return merge(text, pattern, (key) => values.get(key))?.text;
}

/**
 * Fills `{{name}}` and `{{{name.part}}}` from data, as Handlebars and Mustache do with plain values.
 * `open` says that something was left: a block, a helper, or a name without a value.
 */
export function mergePlaceholders(
  text: string,
  data: Plain,
  html: boolean,
): { readonly text: string; readonly open: boolean } {
  const merged = merge(text, /\{\{(\{?)\s*([\p{L}\p{N}_$.-]{1,200})\s*\}?\}\}/gu, (_whole, raw, name) => {
    const value = lookUp(data, name ?? "");
    return value === undefined || !html || raw === "{" ? value : escapeHtml(value);
  });
  if (!merged) return { text, open: true };
  return { text: merged.text, open: merged.missed || merged.kept.includes("{{") };
}

/** Content whose texts are merged with one function; what it leaves open is unbound. */
export function mergeContent(content: Content, data: Plain, what: string): Content {
  let open = false;
  const fill = (text: string | undefined, html: boolean): string | undefined => {
    if (text === undefined) return undefined;
    const merged = mergePlaceholders(text, data, html);
    open ||= merged.open;
    return merged.text;
  };
  const subject = fill(content.subject, false);
  const text = fill(content.text, false);
  const html = fill(content.html, true);
  return {
    ...content,
    ...(subject === undefined ? {} : { subject }),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
    ...(open ? { unbound: what } : {}),
  };
}

/** `missed`: a match without a value stayed as it was. `kept`: the text between the matches. */
function merge(
  text: string,
  pattern: RegExp,
  lookup: (...groups: string[]) => string | undefined,
): { text: string; missed: boolean; kept: string } | undefined {
  let out = "";
  let kept = "";
  let missed = false;
  let last = 0;
  for (const match of text.matchAll(pattern)) {
    const value = lookup(...match);
    missed ||= value === undefined;
    const between = text.slice(last, match.index);
    out += between + (value ?? match[0]);
    kept += between;
    last = match.index + match[0].length;
    if (out.length > longest) return undefined;
  }
  const rest = text.slice(last);
  return { text: out + rest, missed, kept: kept + rest };
}

function lookUp(data: Plain, path: string): string | undefined {
  let value = data;
  for (const key of path.split(".")) {
    if (!asRecord(value)) return undefined;
    value = field(value, key);
  }
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : undefined;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`=]/g, (sign) => `&#x${sign.charCodeAt(0).toString(16).toUpperCase()};`);
}
