import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contentRules, Linted } from "../../src/content";
import { readPage } from "../../src/content/page";
import { createMessage } from "../../src/message";

function lint(subject: string, text: string, html: string) {
  const message = createMessage({ recipients: [], content: () => ({ subject, text, html }) });
  const linted = new Linted(message, { provider: "sendgrid", links: { production: ["acme.com"], staging: [] } });
  return contentRules.filter((rule) => linted.check(rule) !== undefined);
}

const pieces = [
  ..."<>\"'=/!-&;{}%*|$#[] \n",
  ...[
    "<!--",
    "-->",
    "<!--[if mso]>",
    "<![endif]-->",
    "]>",
    "<!-->",
    "</",
    "<a href=",
    "<style>",
    "</style",
    "<xml>",
    "<title",
  ],
  ...[
    "{{",
    "}}",
    "{%",
    "%}",
    "<%",
    "%>",
    "*|",
    "|*",
    "${",
    "%recipient.",
    "%7B%7B",
    "&#",
    "&#x1F600;",
    "&lbrace;",
    "&nbsp",
  ],
  ...[
    "null",
    "undefined",
    "NaN",
    "[object Object]",
    "Invalid Date",
    "https://",
    "localhost",
    "lorem ipsum",
    "<code>",
    "</code>",
  ],
  ...["\u0000", "\ud800", "\udc00", "\ue000", "\ue001", "é", "💬"],
];
const hostile = fc.array(fc.constantFrom(...pieces), { maxLength: 60 }).map((list) => list.join(""));

describe("the content lint", () => {
  it("takes any text", () => {
    fc.assert(
      fc.property(hostile, hostile, hostile, (subject, text, html) => {
        expect(contentRules).toEqual(expect.arrayContaining(lint(subject, text, html)));
      }),
      { numRuns: 2_000 },
    );
  });

  it("finds a fault wherever it stands among right words", () => {
    const words = fc.array(fc.constantFrom("your", "order", "left", "today", "and", "we", "thank", "you"), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(
        words,
        words,
        fc.constantFrom("undefined", "null", "NaN", "{{ x }}", "*|X|*"),
        (before, after, fault) => {
          const sentence = [...before, fault, ...after].join(" ");
          const rule = /^[a-zN]/.test(fault) ? "missingValues" : "placeholders";
          expect(lint("Your order", sentence, "<p>Your order.</p>")).toContain(rule);
          expect(lint("Your order", "Your order.", `<p>${sentence}</p>`)).toContain(rule);
          expect(
            lint("Your order", "Your order.", `<p><img alt="${sentence}" src="https://cdn.acme.com/a.png"></p>`),
          ).toContain(rule);
        },
      ),
    );
  });

  it("reads the same text whatever markup surrounds its words", () => {
    const tags = fc.constantFrom("b", "span", "a", "i", "font");
    const word = fc.stringMatching(/^[a-z]{1,8}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(tags, word), { minLength: 1, maxLength: 20 }), (list) => {
        const marked = list.map(([tag, one]) => `<${tag} title=">" style='x:"<"'>${one}</${tag}>`).join(" ");
        expect(readPage(marked).text).toBe(list.map(([, one]) => one).join(" "));
      }),
    );
  });
});

/** What is not linear takes a million times a million steps here, and never ends. */
describe("a million characters of anything", () => {
  const size = 1_000_000;
  const repeated = pieces.map((piece): [string, string] => [JSON.stringify(piece), piece]);
  it.each<[string, string]>([
    ...repeated,
    ["openings", "<a <b "],
    ["quotes without end", "<a href='\"><p title=\"'"],
    ["conditional comments without end", "<!--[if mso]"],
    ["closed and open", "}}{{%}{%"],
    ["words on programs", "null pointer "],
    ["code", "<code>{{ name }} x</code>"],
    ["links", '<a href="https://a.acme.com/{{">x</a>'],
    ["hosts", "https://a@b.acme.com "],
    ["blank lines", "\n \n"],
    ["greetings", "\ndear "],
    ["tests", "[this is a test "],
  ])("%s", { timeout: 60_000 }, (_name, piece) => {
    const text = piece.repeat(Math.ceil(size / piece.length));
    expect(contentRules).toEqual(expect.arrayContaining(lint(text.slice(0, 1_000), text, text)));
  });
});
