/**
 * Which packages hold mail templates, and how those are found in them. Nothing of theirs is kept
 * here: they are fetched into a directory outside the project when the measurement runs.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** How a template's placeholders are written. */
export type Engine = "handlebars" | "liquid" | "ejs" | "literal" | "plain";

/** One template. Its name decides into which half it falls. */
export interface Template {
  readonly name: string;
  readonly engine: Engine;
  readonly subject?: string;
  readonly html?: string;
  readonly text?: string;
}

interface Package {
  readonly id: string;
  readonly files: RegExp;
  readonly engine: Engine;
  /** Template literals inside JavaScript rather than files of their own. */
  readonly literals?: boolean;
}

const packages: readonly Package[] = [
  { id: "@auth/core@0.41.3", files: /^lib\/utils\/email\.js$/, engine: "literal", literals: true },
  { id: "@covalent/email-templates@10.5.8", files: /^index\.mjs$/, engine: "handlebars", literals: true },
  { id: "@directus/api@39.2.1", files: /services\/mail\/templates\/(?!base).*\.liquid$/, engine: "liquid" },
  { id: "@perfood/couch-auth@0.28.0", files: /templates\/email\/(?!base).*\.njk$/, engine: "liquid" },
  {
    id: "@reactioncommerce/api-plugin-email-templates@1.1.7",
    files: /src\/templates\/(?:\w+\/\w+|coreDefault)\.js$/,
    engine: "handlebars",
    literals: true,
  },
  {
    id: "@strapi/plugin-users-permissions@5.54.0",
    files: /dist\/server\/bootstrap\/.*\.mjs$/,
    engine: "ejs",
    literals: true,
  },
  { id: "@vendure/email-plugin@3.7.3", files: /templates\/[\w-]+\/body\.hbs$/, engine: "handlebars" },
  { id: "apostrophe@4.32.2", files: /modules\/@apostrophecms\/.*Email\.html$/, engine: "liquid" },
  { id: "bootstrap-email@1.2.9", files: /examples\/output\/[\w-]+\.html$/, engine: "plain" },
  { id: "email-templates@2.7.1", files: /examples\/templates\/.*html\.(?:ejs|hbs)$/, engine: "ejs" },
  { id: "email-templates@2.7.1", files: /examples\/templates\/.*text\.(?:ejs|hbs)$/, engine: "ejs" },
  { id: "flowise@3.1.4", files: /dist\/enterprise\/emails\/.*\.hbs$/, engine: "handlebars" },
  { id: "foundation-emails@2.5.1", files: /^templates\/[\w-]+\.html$/, engine: "plain" },
  { id: "ghost@6.65.0", files: /services\/mail\/templates\/[\w-]+\.html$/, engine: "handlebars" },
  {
    id: "ghost@6.65.0",
    files:
      /services\/(?:gifts|staff|comments|email-service|member-welcome-emails)\/email-templates\/(?!.*layout)[\w-]+\.hbs$/,
    engine: "handlebars",
  },
  { id: "ghost@6.65.0", files: /services\/members\/emails\/[\w-]+\.js$/, engine: "literal", literals: true },
  { id: "ghost@6.65.0", files: /email-templates\/[\w-]+\.txt\.js$/, engine: "literal", literals: true },
  { id: "loopback@3.28.0", files: /^templates\/verify\.ejs$/, engine: "ejs" },
  { id: "mailgen@2.0.36", files: /themes\/\w+\/index\.(?:html|txt)$/, engine: "ejs" },
  { id: "mails-default@0.0.1", files: /^(?!layout)[\w-]+\.html$/, engine: "handlebars" },
  { id: "n8n@2.41.3", files: /user-management\/email\/templates\/[\w-]+\.handlebars$/, engine: "handlebars" },
  { id: "parse-smtp-template@2.2.2", files: /^templates\/main\.html$/, engine: "literal" },
  { id: "sails-generate@2.0.13", files: /views\/emails\/.*\.ejs$/, engine: "ejs" },
  { id: "screwdriver-notifications-email@5.0.3", files: /^template\/email\.html$/, engine: "handlebars" },
  {
    id: "supertokens-node@24.0.3",
    files: /lib\/build\/recipe\/\w+\/emaildelivery\/services\/smtp\/\w+\.js$/,
    engine: "literal",
    literals: true,
  },
  { id: "unleash-server@8.2.0", files: /mailtemplates\/.*\.mustache$/, engine: "handlebars" },
];

const jhipster = "generator-jhipster@8.11.0";

/** Every package the measurement fetches, with its version. */
export const packageIds: readonly string[] = [...new Set([...packages.map(({ id }) => id), jhipster])];

/** Reads all templates from unpacked packages: `directory/<id with / as +>/package`. */
export function readTemplates(directory: string): Template[] {
  const found = packages.flatMap((one) => readPackage(path.join(directory, folder(one.id)), one));
  const all = [...found, ...readJhipster(path.join(directory, folder(jhipster)))];
  const seen = new Set<string>();
  return all.filter((template) => {
    const content = `${template.html}\n${template.text}`;
    if (content.length < 60 || seen.has(content)) return false;
    seen.add(content);
    return true;
  });
}

/** The folder a package is unpacked into. */
export function folder(id: string): string {
  return id.replace("/", "+");
}

function walk(root: string, under = ""): string[] {
  return readdirSync(path.join(root, under), { withFileTypes: true }).flatMap((entry) => {
    const name = under ? `${under}/${entry.name}` : entry.name;
    if (entry.isDirectory()) return entry.name === "node_modules" ? [] : walk(root, name);
    return [name];
  });
}

function readPackage(root: string, { id, files, engine, literals }: Package): Template[] {
  return walk(root)
    .filter((file) => files.test(file))
    .flatMap((file) => {
      const source = readFileSync(path.join(root, file), "utf8");
      const name = `${id} ${file}`;
      if (literals) return mailLiterals(source).map((body, index) => template(`${name} ${index}`, engine, body));
      return [template(name, file.endsWith(".hbs") ? "handlebars" : engine, source)];
    });
}

/** The template literals of a JavaScript file that are mails: markup, or several lines of text. */
function mailLiterals(source: string): string[] {
  const bodies: string[] = [];
  for (let at = source.indexOf("`"); at >= 0; at = source.indexOf("`", at + 1)) {
    const end = literalEnd(source, at + 1);
    if (end < 0) break;
    const body = source.slice(at + 1, end).replaceAll("\\n", "\n");
    // A fragment of attributes is no mail: there is nothing in it to read.
    const words = /<(?:p|h\d|td|span|a|mj-text|mj-button)\b[^>]*>[^<]*\w/.test(body);
    if (
      (words && /<(?:html|body|table|mjml|p)\b/.test(body)) ||
      (body.split("\n").length > 4 && !/[;{]\s*\n/.test(body))
    )
      bodies.push(body);
    at = end;
  }
  return bodies;
}

/** Where a template literal ends, over the literals nested in its expressions. */
function literalEnd(source: string, from: number): number {
  for (let at = from; at < source.length; at++) {
    if (source[at] === "\\") at++;
    else if (source[at] === "`") return at;
    else if (source.startsWith("${", at)) at = expressionEnd(source, at + 2);
    if (at < 0) return -1;
  }
  return -1;
}

/** Where the expression of a `${` ends. */
export function expressionEnd(source: string, from: number): number {
  let depth = 1;
  for (let at = from; at < source.length; at++) {
    if (source[at] === "{") depth++;
    else if (source[at] === "}" && --depth === 0) return at;
    else if (source[at] === "`") at = literalEnd(source, at + 1);
    if (at < 0) return -1;
  }
  return -1;
}

function template(name: string, engine: Engine, body: string): Template {
  return /<[a-z!][^>]*>/i.test(body) ? { name, engine, html: body } : { name, engine, text: body };
}

/** JHipster keeps three mails and their sentences in some fifty languages. */
function readJhipster(root: string): Template[] {
  const bundles = walk(root).filter((file) => /src\/main\/resources\/i18n\/messages_\w+\.properties/.test(file));
  return bundles.flatMap((file) => {
    const language = /messages_(\w+)\./.exec(file)?.[1] ?? "";
    const says = properties(readFileSync(path.join(root, file), "utf8"));
    return ["activation", "creation", "reset"].map((mail) => {
      const say = (key: string) => (says[`email.${mail}.${key}`] ?? says[`email.activation.${key}`] ?? "").trim();
      const body = [
        `<p>${say("greeting").replace("{0}", "<%= user.name %>")}</p>`,
        `<p>${say("text1")}</p>`,
        '<p><a href="<%= url %>"><%= url %></a></p>',
        `<p><span>${say("text2")}</span><br/><em><%= baseName %></em></p>`,
      ].join("\n");
      const html = `<html lang="${language}"><head><title>x</title></head><body>${body}</body></html>`;
      return { name: `${jhipster} ${mail} ${language}`, engine: "ejs" as const, subject: say("title"), html };
    });
  });
}

function properties(source: string): Record<string, string> {
  const lines = source.split("\n").map((line) => /^([\w.]+)\s*=\s*(.*)$/.exec(line));
  return Object.fromEntries(
    lines.flatMap((line) =>
      line
        ? [
            [
              line[1] as string,
              (line[2] as string).replace(/\\u([0-9a-fA-F]{4})/g, (_, hex) =>
                String.fromCharCode(Number.parseInt(hex, 16)),
              ),
            ],
          ]
        : [],
    ),
  );
}
