/**
 * Placeholders that nobody filled in: a mail that greets `{{firstName}}`.
 *
 * @module
 */
import { codeEnd, codeStart } from "./page";
import type { Finding, Places } from "./places";
import { Prose } from "./prose";

/** One way in which template engines and providers write placeholders. */
interface Syntax {
  readonly name: string;
  /** Whether a provider fills it in, when the text is not fully known here. */
  readonly merged: boolean;
  readonly find: (text: string, from: number) => Match | undefined;
}

interface Match {
  readonly from: number;
  readonly to: number;
  readonly inner: string;
}

/** The longest placeholder looked for. Longer ones are text between signs that happen to stand there. */
const longest = 300;

/** What data is called: the usual names, and words run together as programs do it. */
const dataNames = [
  "name|first[_-]?name|last[_-]?name|full[_-]?name|user[_-]?name|email|link|url|code|date|amount",
  "[a-z]{1,20}(?:[_.][a-z]{1,20}){1,4}",
  "[a-z]{1,20}(?:[A-Z][a-z]{1,20}){1,4}",
].join("|");

const syntaxes: readonly Syntax[] = [
  // Handlebars, Mustache, Liquid, Jinja, Nunjucks, Angular, Vue; SendGrid, Postmark, SES, SparkPost, Resend
  { name: "a {{…}} placeholder", merged: true, find: between("{{", "}}", () => true) },
  { name: "a {%…%} tag", merged: true, find: between("{%", "%}", (inner) => /^[-~+]?\s*[a-z]/i.test(inner)) },
  { name: "a {#…#} comment", merged: false, find: between("{#", "#}", (inner) => /\s/.test(inner)) },
  { name: "an EJS tag", merged: true, find: between("<%", "%>", () => true) },
  { name: "a *|…|* merge tag", merged: true, find: between("*|", "|*", (inner) => /^[A-Z_][^\s|]*/i.test(inner)) },
  { name: "a $\u007b…} expression", merged: false, find: between("${", "}", isExpression) },
  { name: "a #{…} expression", merged: false, find: between("#{", "}", isExpression) },
  { name: "a {$…} variable", merged: true, find: between("{$", "}", isExpression) },
  { name: "a [[…]] variable", merged: true, find: between("[[", "]]", (inner) => /^(?:var|data):\w/.test(inner)) },
  // In a link, as browsers and template engines escape the one above.
  { name: "a %7B%7B…%7D%7D placeholder", merged: true, find: pattern(/%7B%7B/gi) },
  {
    name: "a %recipient…% variable",
    merged: true,
    find: pattern(/%recipient(?:\.[\w-]{1,100}|_(?:email|name|fname|lname))?%/g),
  },
  // SendGrid's substitution tags and the braces of message formats (ICU, i18next) surround what may be
  // prose as well: only names that prose does not have are taken for one.
  {
    name: "a -…- substitution tag",
    merged: true,
    find: pattern(new RegExp(`(?<![\\p{L}\\p{N}\\-/_.])-(?:${dataNames})-(?![\\p{L}\\p{N}\\-/_])`, "gu")),
  },
  {
    name: "a {…} placeholder",
    merged: true,
    find: pattern(new RegExp(`(?<![{$#%])\\{(?:${dataNames})\\}(?!\\})`, "g")),
  },
];

const unmerged = syntaxes.filter((syntax) => !syntax.merged);

// What providers put in on their way although the rest of the text is known here.
const ownTags: Readonly<Record<string, RegExp>> = {
  sendgrid: /^\W{0,4}(?:asm_|click here|unsubscribe|sender_|weblink|subject|body)/i,
  mailgun: /^%?(?:unsubscribe|tag_unsubscribe|mailing_list_unsubscribe|recipient(?:_email|_name|_fname|_lname)?%?$)/i,
  postmark: /^\{?\s*pm:/i,
  resend: /^\{?\s*(?:RESEND_UNSUBSCRIBE_URL|contact\.)/,
  ses: /^\{?\s*amazonSES/,
  mandrill: /^(?:UNSUB|ARCHIVE|LIST:|MC:|IF:|ELSE|END:|EMAIL|DATE)/,
  mailchimp: /^/,
  brevo: /^\s*(?:unsubscribe|mirror|update_profile|contact\.)/,
  mailjet: /^(?:UNSUB|PERMALINK|data:|var:)/i,
};

/** Looks for placeholders. What the provider will fill in is none. */
export function findPlaceholders(places: Places, provider: string): Finding | undefined {
  const { content } = places;
  const merging = content.unbound !== undefined;
  const own = Object.hasOwn(ownTags, provider) ? ownTags[provider] : undefined;
  const open = merging ? unmerged : syntaxes;
  for (const place of places.texts) {
    if (!hasSign(place.text)) continue;
    const prose = new Prose(place.text);
    for (const syntax of open) {
      if (has(place.text, syntax, own, prose)) return { got: `${syntax.name} in ${place.name}`, part: place.part };
    }
  }
  for (const { name, value } of places.attributes) {
    if (!hasSign(value)) continue;
    const where = name === "" ? "an attribute" : `a \`${name}\` attribute`;
    const prose = new Prose("");
    for (const syntax of open) {
      if (has(value, syntax, own, prose)) return { got: `${syntax.name} in ${where} of the HTML`, part: "html" };
    }
  }
  if (content.html !== undefined && /<mj(?:ml|-[a-z]{2,20})[\s>]/i.test(content.html))
    return { got: "MJML that was not compiled, as HTML", part: "html" };
  return undefined;
}

/**
 * Whether a text holds what every placeholder begins with, or a name between dashes. Nearly no mail
 * does, and two searches take the place of sixteen. A new syntax adds its sign here.
 */
function hasSign(text: string): boolean {
  return sign.test(text) || dashSign.test(text);
}

const sign = /\{|<%|\*\||\[\[|%(?:7[Bb]|recipient)/;
const dashSign = /-(?=[a-z])(?<![\w/.-]-)/;

/** How many matches are looked at: the thousandth in prose is as much prose as the first. */
const most = 1_000;

function has(text: string, syntax: Syntax, own: RegExp | undefined, prose: Prose): boolean {
  let from = 0;
  for (let count = 0; count < most; count++) {
    const match = syntax.find(text, from);
    if (!match) return false;
    from = match.to;
    if (own?.test(match.inner)) continue;
    if (inCode(text, match) && (prose.technical(match.from, match.to) || !standsAlone(text, match))) continue;
    return true;
  }
  return false;
}

/** Whether a code element holds it. Looked for a little way only: code of a mail is short or irrelevant. */
function inCode(text: string, match: Match): boolean {
  const before = text.slice(Math.max(0, match.from - 2_000), match.from);
  return before.lastIndexOf(codeStart) > before.lastIndexOf(codeEnd);
}

/** One-time codes are often set as code: `<code>{{otp}}</code>` is a fault, a longer listing is not. */
function standsAlone(text: string, match: Match): boolean {
  const before = text.slice(Math.max(0, match.from - 8), match.from).trimEnd();
  return (
    before.endsWith(codeStart) &&
    text
      .slice(match.to, match.to + 8)
      .trimStart()
      .startsWith(codeEnd)
  );
}

/** Finds `open … close` by index, in time linear in the text whatever stands in it. */
function between(open: string, close: string, fits: (inner: string) => boolean): Syntax["find"] {
  return (text, start) => {
    let from = start;
    if (text.indexOf(open, from) < 0) return undefined;
    for (;;) {
      const end = text.indexOf(close, from);
      if (end < 0) return undefined;
      const begin = Math.max(from, end - longest);
      const at = text.slice(begin, end).lastIndexOf(open);
      if (at >= 0) {
        const inner = text.slice(begin + at + open.length, end);
        if (fits(inner)) return { from: begin + at, to: end + close.length, inner };
      }
      from = end + close.length;
    }
  };
}

function pattern(expression: RegExp): Syntax["find"] {
  return (text, from) => {
    expression.lastIndex = from;
    const match = expression.exec(text);
    return match ? { from: match.index, to: match.index + match[0].length, inner: match[0] } : undefined;
  };
}

/** A name, a path or a call; prices such as `${5}` are none. */
function isExpression(inner: string): boolean {
  return inner.length <= 100 && /^\s*[\p{L}_$][\p{L}\p{N}_$.?()[\]'"| :,-]*$/u.test(inner);
}
