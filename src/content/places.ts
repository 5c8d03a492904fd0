/**
 * Where a mail can say something: its subject, its text, and of its HTML the visible text and the
 * attributes. Rules look at places; each is read at most once.
 *
 * @module
 */
import type { Content } from "../message";
import { type Attribute, type Page, readPage } from "./page";

/** One text of a mail. */
export interface Place {
  /** How a refusal names it, for example `"the subject"`. */
  readonly name: string;
  readonly text: string;
  /** Which part of the mail it stands in. */
  readonly part: "subject" | "text" | "html";
}

/** A mail's content as rules read it. */
export interface Places {
  readonly content: Content;
  readonly subject: string | undefined;
  readonly text: string | undefined;
  readonly page: Page | undefined;
  /** Subject, text and visible text, those that are there. */
  readonly texts: readonly Place[];
  readonly attributes: readonly Attribute[];
}

/** Reads a mail's content. */
export function readPlaces(content: Content): Places {
  const { subject, text, html } = content;
  const page = html === undefined ? undefined : readPage(html);
  const texts: Place[] = [];
  if (subject) texts.push({ name: "the subject", text: subject, part: "subject" });
  if (text) texts.push({ name: "the plain text", text, part: "text" });
  if (page) texts.push({ name: "the visible text of the HTML", text: page.text, part: "html" });
  return { content, subject, text, page, texts, attributes: page?.attributes ?? [] };
}

/** What a rule found. Holds nothing of the mail's text. */
export interface Finding {
  /** What came, in words of our own: completes "Expected …, got …". */
  readonly got: string;
  readonly part?: Place["part"];
}
