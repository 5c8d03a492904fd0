import { describe, expect, it } from "vitest";
import { type ContentRule, contentRules, Linted } from "../../src/content";
import { type Content, createMessage } from "../../src/message";

function lint(content: Content, options: { provider?: string; from?: string; production?: string[] } = {}) {
  const message = createMessage({ recipients: [], from: options.from ?? "hello@acme.com", content: () => content });
  const links = { production: options.production ?? [], staging: [] };
  const linted = new Linted(message, { provider: options.provider ?? "nodemailer", links });
  return contentRules.filter((rule) => rule !== "productionLinks" && linted.check(rule) !== undefined);
}

const subject = "Your renewal";
const html = (body: string) => lint({ subject, html: `<html><body><p>Your renewal is here.</p>${body}</body></html>` });
const text = (body: string) => lint({ subject, text: `Your renewal is here.\n${body}\n` });

function both(rule: ContentRule | undefined, bodies: readonly string[]) {
  const expected = rule === undefined ? [] : [rule];
  it.each(bodies)("%s", (body) => {
    expect([text(body), html(`<p>${body}</p>`)]).toEqual([expected, expected]);
  });
}

describe("missing values are found", () => {
  both("missingValues", [
    "Since you renewed your car insurance on, null",
    "Since you renewed your car insurance on null we owe you a refund",
    "Since you renewed on null, we owe you £50.",
    "Dear null,",
    "Hi undefined!",
    "Hello undefined undefined,",
    "You are owed £NaN.",
    "That is NaN% of your premium",
    "Your payment is due on Invalid Date.",
    "Your payment is due on Invalid date at noon",
    "Delivered to [object Object]",
    "Delivered to [object Promise] today",
    "Order #undefined has left us",
    "Your code is undefined",
    "Your project “undefined” was created",
    "Kundennummer: null",
    "Seit null Ihre Versicherung verlängert wurde, schulden wir Ihnen und der Familie Geld",
    "undefined님 안녕하세요",
    "Valid until NaN/NaN/NaN",
    "Track it: https://acme.com/orders/undefined",
  ]);

  it.each([
    '<a href="https://acme.com/reset?token=undefined">Reset</a>',
    '<a href="https://acme.com/orders/null/track">Track</a>',
    '<a href="https://undefined/verify">Verify</a>',
    '<a href="mailto:undefined">Write</a>',
    '<a href="https://acme.com/%5Bobject%20Object%5D">Look</a>',
    '<img src="https://cdn.acme.com/undefined.png" alt="car">',
    '<img src="https://cdn.acme.com/car.png" alt="undefined">',
    "Your code is <code>undefined</code>",
    "<p>Hello <b>null</b>,</p>",
    "<td>Renewed on</td><td>null</td>",
    "Renewed on,\n        <strong>null</strong>",
    "<!--[if mso]><p>Dear null,</p><![endif]-->",
    "<!--[if !mso]><!--><p>Dear null,</p><!--<![endif]-->",
    "Dear &#110;ull,",
  ])("%s", (body) => expect(html(body)).toEqual(["missingValues"]));

  it("in a subject", () => {
    expect(lint({ subject: "Your order undefined has left", text: "It has left." })).toEqual(["missingValues"]);
  });
});

describe("words about missing values are none", () => {
  both(undefined, [
    "TypeScript 6 narrows null and undefined in closures",
    "This clause is null and void from May",
    "The study could not reject the null hypothesis",
    "Reading the pointer is undefined behavior, said the compiler",
    "A function that returns null makes its callers check",
    "Wir haben null Toleranz für Betrug und die Kosten sind niedrig, das ist sicher",
    "The contract was annulled, and isNaN() was not asked",
    "Nullify the claim. None of it stays.",
    "Tip: JavaScript says NaN is a number",
    "Your terms remain undefinedly flexible",
  ]);

  it.each([
    "<p>In this JavaScript issue: use <code>null</code> where you mean it.</p>",
    "<pre>const a = null;\nconst b = undefined;</pre>",
    "<script>var a = undefined</script><style>.null{color:red}</style>",
    "<!-- null --><p>Fine.</p>",
    '<a class="null" data-x="undefined" href="https://acme.com/null-pointers">Read</a>',
  ])("%s", (body) => expect(html(body)).toEqual([]));
});

describe("placeholders are found", () => {
  both("placeholders", [
    "Dear {{ firstName }},",
    "Dear {{{user.name}}},",
    "{% if user %}Dear you{% endif %}",
    "Dear {{ name | default: 'you' }},",
    "Dear *|FNAME|*,",
    "Dear %recipient.first_name%,",
    "Dear -firstName-,",
    "Dear -first_name-,",
    "Dear ${user.name},",
    "Dear #{name},",
    "Dear {firstName},",
    "Dear [[var:firstname]],",
    "Dear {$name},",
  ]);

  it.each([
    "Dear <%= name %>,",
    "Dear &lt;%= name %&gt;,",
    "Dear &#123;&#123;name&#125;&#125;,",
    '<a href="{{ url }}">Open</a>',
    '<a href="https://acme.com/%7B%7Btoken%7D%7D">Open</a>',
    '<a href="*|ARCHIVE|*">Open</a>',
    '<img src="https://acme.com/a.png" alt="{{ product }}">',
    '<td style="color: {{ color }}">Red</td>',
    "<!--[if mso]><v:roundrect href='{{ url }}'>Open</v:roundrect><![endif]-->",
    "Your code: <code>{{ otp }}</code>",
    "<mj-text>Hello</mj-text>",
  ])("%s", (body) => expect(html(body)).toEqual(["placeholders"]));

  it("in a subject", () => {
    expect(lint({ subject: "{{ name }}, your refund", text: "It is on its way." })).toEqual(["placeholders"]);
  });
});

describe("what only looks like a placeholder is none", () => {
  both(undefined, [
    "Save ${5} today or $5",
    "A 50% - 60% share - and more - of it",
    "A well-known, state-of-the-art offer",
    "He said -well- nothing",
    "*** Sale | now ***",
    "Sets such as {a, b} and {sarcasm}",
    "See [1] and [[2]]",
  ]);

  it.each([
    "<style>@media{.a{color:red}}</style>",
    "<!-- {{ comment }} -->",
    '<script type="application/ld+json">{"a":{"b":"{{x}}"}}</script>',
    "<p>In Handlebars, <code>{{ name }}</code> escapes and <code>{{{ name }}}</code> does not.</p>",
    "<pre>Hello {{ name }},\nand {{ more }}</pre>",
  ])("%s", (body) => expect(html(body)).toEqual([]));
});

describe("what the provider fills in is no placeholder", () => {
  const unbound = "the text of a template that lives at the provider";
  it.each([
    ["sendgrid", { subject, html: "Hi {{ name }}", unbound }],
    ["sendgrid", { subject, text: "Hi -firstName-", unbound }],
    ["sendgrid", { subject, html: '<p>Hi.</p><a href="<%asm_group_unsubscribe_raw_url%>">Unsubscribe</a>' }],
    ["mailgun", { subject, text: "Hi %recipient.name%", unbound }],
    ["mailgun", { subject, html: '<p>Hi.</p><a href="%unsubscribe_url%">Unsubscribe</a>' }],
    ["postmark", { subject, html: '<p>Hi.</p><a href="{{{ pm:unsubscribe_url }}}">Unsubscribe</a>' }],
    ["resend", { subject, html: '<p>Hi.</p><a href="{{{RESEND_UNSUBSCRIBE_URL}}}">Unsubscribe</a>' }],
    ["sendgrid", { template: { id: "d-1" }, unbound }],
  ] as const)("%s %o", (provider, content) => expect(lint(content, { provider })).toEqual([]));

  it("but what it was given nothing for is one", () => {
    expect(lint({ subject, text: "Hi %recipient.name%" }, { provider: "mailgun" })).toEqual(["placeholders"]);
    expect(lint({ subject, text: "Hi {{ name }}" }, { provider: "sendgrid" })).toEqual(["placeholders"]);
    expect(lint({ subject, text: "Hi ${name}", unbound }, { provider: "sendgrid" })).toEqual(["placeholders"]);
  });
});

describe("empty mail", () => {
  const pixel = '<img src="https://t.acme.com/o.gif" width="1" height="1">';
  it.each([
    [{ text: "Hello." }, ["empty"]],
    [{ subject: " ", text: "Hello." }, ["empty"]],
    [{ subject }, ["empty"]],
    [{ subject, text: " \n " }, ["empty"]],
    [{ subject, html: "<html><head><title>Hi</title><style>p{}</style></head><body>&nbsp;</body></html>" }, ["empty"]],
    [{ subject, html: `<p>&zwnj;&#847;\u200b</p>${pixel}` }, ["empty"]],
    [{ subject, html: "<!-- Hello -->" }, ["empty"]],
    [{ subject, html: "<!--[if mso]><p>Hello</p><![endif]-->" }, ["empty"]],
    [{ subject, html: "<p></p>", text: "Hello." }, ["empty"]],
    [{ subject, html: "", text: "Hello." }, []],
    [{ subject, text: "", html: "<p>Hello.</p>" }, []],
    [{ subject, html: '<img src="https://cdn.acme.com/offer.png">' }, []],
    [{ subject, html: "<!--[if !mso]><!--><p>Hello</p><!--<![endif]-->" }, []],
    [{ unbound: "a template" }, []],
  ] as const)("%o", (content, rules) => expect(lint(content)).toEqual(rules));
});

describe("test fixtures and staging links", () => {
  it.each([
    [{ subject: "Integration Test Email #1", text: "This template is used by integration tests only." }, "fixtures"],
    [{ subject: "[TEST] Summer offer", text: "Now." }, "fixtures"],
    [{ subject: "test", text: "Now." }, "fixtures"],
    [{ subject: "TEST: Summer offer", text: "Now." }, "fixtures"],
    [{ subject, text: "Lorem ipsum dolor sit amet" }, "fixtures"],
    [{ subject, text: "This is a test email." }, "fixtures"],
    [{ subject, html: '<p>Hi</p><a href="https://example.com/offer">Offer</a>' }, "fixtures"],
    [{ subject, html: '<p>Hi</p><img src="https://via.placeholder.com/600x200">' }, "fixtures"],
    [{ subject, text: "Open http://localhost:3000/reset" }, "stagingLinks"],
    [{ subject, text: "Open http://127.0.0.1:8080/reset" }, "stagingLinks"],
    [{ subject, text: "Open http://user@shop.local/reset" }, "stagingLinks"],
    [{ subject, html: '<p>Hi</p><a href="//staging.acme.com/a">Open</a>' }, "stagingLinks"],
    [{ subject, html: '<p>Hi</p><a href="https://dev.acme.com/a">Open</a>' }, "stagingLinks"],
    [{ subject, html: '<p>Hi</p><a href="https://acme-git-fix-team.vercel.app/a">Open</a>' }, "stagingLinks"],
    [{ subject, html: '<p>Hi</p><a href="https://acme-staging.herokuapp.com/a">Open</a>' }, "stagingLinks"],
    [{ subject, html: '<p>Hi</p><a href="HTTPS://Acme-UAT.example-shop.com:443/a">Open</a>' }, "stagingLinks"],
  ] as const)("%o", (content, rule) => expect(lint(content)).toEqual([rule]));

  it.each([
    { subject: "Test: Kaffeemaschinen im Vergleich", text: "Sieben Geräte." },
    {
      subject: "Your test results are ready",
      text: "Open https://dev.azure.com/acme or https://preview.redd.it/x.png",
    },
    { subject: "Driving test on Monday", text: "We test the brakes; see https://www.acme.com/staging-your-home" },
    { subject: "The main stage opens", text: "https://stage.theatre.org and https://web.dev" },
  ])("%o is none", (content) => expect(lint(content)).toEqual([]));

  it("one's own public host is none", () => {
    const content = { subject, text: "Open https://dev.acme.com/docs" };
    expect(lint(content, { production: ["dev.acme.com"] })).toEqual([]);
  });
});

describe("gaps are found", () => {
  it.each(["Dear ,", "Hi  , welcome", "Since you renewed on , null and nothing"])("%s", (body) => {
    expect(text(body)).toContain("blanks");
  });
  it.each(["Dear,", "Hi, welcome", "Bonjour !", "Read on, please"])("not in %s", (body) =>
    expect(text(body)).toEqual([]),
  );
  it("in links", () => expect(html('<a href="">Reset</a>')).toEqual(["blanks"]));
});

describe("production links", () => {
  const production = ["acme.com"];
  const check = (link: string) => {
    const message = createMessage({ recipients: [], content: () => ({ subject, text: `Open ${link}` }) });
    return new Linted(message, { provider: "x", links: { production, staging: ["beta.acme.com"] } }).check(
      "productionLinks",
    );
  };
  it.each(["https://acme.com/a", "https://www.acme.com/a"])("%s", (link) =>
    expect(check(link)?.code).toBe("CONTENT_PRODUCTION_LINK"),
  );
  it.each([
    "https://staging.acme.com/a",
    "https://dev.acme.com",
    "https://beta.acme.com",
    "https://acme.community",
    "https://notacme.com",
  ])("not %s", (link) => expect(check(link)).toBeUndefined());
});

it("says nothing of the mail in its reason", () => {
  const content = { subject: "Secret {{ name }} offer", text: "Dear null, see https://localhost/secret" };
  const message = createMessage({ recipients: [], content: () => content });
  const linted = new Linted(message, { provider: "x", links: { production: [], staging: [] } });
  const reasons = JSON.stringify(contentRules.map((rule) => linted.check(rule)));
  expect(reasons).toContain("CONTENT_PLACEHOLDER");
  expect(reasons).not.toMatch(/secret|offer|name \}|localhost\//i);
});
