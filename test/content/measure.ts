/**
 * Measures the content lint on mail templates from npm packages: how often it is wrong about mail
 * that is right (false alarms) and silent about mail with one fault (misses).
 *
 *     npx tsx test/content/measure.ts [--half tuning|unseen|both] [--list] [directory]
 *
 * Packages are fetched with `npm pack` into the directory (default: one in the system's temporary
 * folder). The half a template falls into is decided by a hash of its name; rules are tuned on one
 * half only, and `--list` shows single mails of that half only.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { type ContentRule, contentRules, Linted } from "../../src/content";
import { createMessage } from "../../src/message";
import { number, seed } from "./corpus/faults";
import { type Mail, plausible, render } from "./corpus/fill";
import { folder, packageIds, readTemplates, type Template } from "./corpus/templates";

type Half = "tuning" | "unseen";

const { values: options, positionals } = parseArgs({
  options: { half: { type: "string", default: "both" }, list: { type: "boolean", default: false } },
  allowPositionals: true,
});
const directory = positionals[0] ?? path.join(tmpdir(), "mailfuse-templates");

fetchAll();
const templates = readTemplates(directory);
const halves = (["tuning", "unseen"] as const).filter((half) => options.half === "both" || options.half === half);
console.log(`${templates.length} templates from ${packageIds.length} packages\n`);
for (const half of halves)
  measure(
    half,
    templates.filter((template) => halfOf(template) === half),
  );

function halfOf(template: Template): Half {
  return number(`half ${template.name}`) % 2 === 0 ? "tuning" : "unseen";
}

function fetchAll(): void {
  mkdirSync(directory, { recursive: true });
  for (const id of packageIds) {
    const target = path.join(directory, folder(id));
    if (existsSync(target)) continue;
    const file = execFileSync("npm", ["pack", "--silent", id], { cwd: directory, encoding: "utf8" }).trim();
    execFileSync("tar", ["-xzf", file, "--no-same-owner"], { cwd: directory });
    renameSync(path.join(directory, "package"), target);
    rmSync(path.join(directory, file));
  }
}

/** The rules that find something, as a live environment would ask them, or a test one. */
function found(mail: Mail, rules: readonly ContentRule[] = contentRules): ContentRule[] {
  const message = createMessage({ recipients: [], from: "hello@acme.com", content: () => mail });
  const links = { production: ["www.acme.com"], staging: [] };
  const linted = new Linted(message, { provider: "nodemailer", links });
  return rules.filter((rule) => linted.check(rule) !== undefined);
}

/** Templates that ship with filler text or example links: finding those is no false alarm. Asked apart from the lint. */
function holdsFixtures({ html = "", text = "" }: Template): boolean {
  return /lorem|dolor sit|placehold|example\.(?:com|org|net)|localhost|\.local\b/i.test(html + text);
}

/**
 * Templates made in Mailchimp's editor and shipped with its merge tags, though nothing there resolves them: a real
 * fault (`*|MC_PREVIEW_TEXT|*` in the inbox's preview, `href="*|ARCHIVE|*"`). Asked apart from the lint.
 */
function holdsForeignTags({ engine, html = "", text = "" }: Template): boolean {
  return engine !== "plain" && /\*\|[A-Z_:]+\|\*/.test(html + text);
}

function measure(half: Half, list: readonly Template[]): void {
  const live = contentRules.filter((rule) => rule !== "productionLinks");
  const alarms = new Map<ContentRule, number>();
  const of = new Map<ContentRule, number>();
  let wrong = 0;
  let refused = 0;
  let fixtures = 0;
  let foreigners = 0;
  for (const template of list) {
    const fixture = holdsFixtures(template);
    if (fixture) fixtures++;
    const foreign = holdsForeignTags(template);
    if (foreign) foreigners++;
    const asked = live.filter((rule) => !(fixture && rule === "fixtures") && !(foreign && rule === "placeholders"));
    for (const rule of asked) of.set(rule, (of.get(rule) ?? 0) + 1);
    const rules = found(render(template, plausible), asked);
    for (const rule of rules) alarms.set(rule, (alarms.get(rule) ?? 0) + 1);
    if (rules.some((rule) => rule !== "blanks")) refused++;
    if (rules.length > 0) wrong++;
    if (rules.length > 0 && options.list && half === "tuning") console.log("alarm", rules.join(), template.name);
  }
  const faults = new Map<string, { rule: ContentRule; of: number; missed: number }>();
  for (const template of list) {
    for (const { fault, rule, mail } of seed(template)) {
      const row = faults.get(fault) ?? { rule, of: 0, missed: 0 };
      faults.set(fault, row);
      row.of++;
      if (found(mail, [rule]).length > 0) continue;
      row.missed++;
      if (options.list && half === "tuning" && rule !== "blanks") console.log("missed", fault, template.name);
    }
  }
  console.log(
    `${half} half: ${list.length} templates, ${fixtures} of them with filler text or example links of their own, ${foreigners} with Mailchimp tags of their own\n`,
  );
  console.log(
    `mail refused although right: ${percent(refused, list.length)}; refused or warned about: ${percent(wrong, list.length)}\n`,
  );
  console.log("| rule | false alarms |\n| --- | --- |");
  for (const rule of live) console.log(`| \`${rule}\` | ${percent(alarms.get(rule) ?? 0, of.get(rule) ?? 0)} |`);
  console.log("\n| fault put in | rule | missed |\n| --- | --- | --- |");
  const sum = { of: 0, missed: 0 };
  for (const [fault, row] of faults) {
    // What is only warned about is no promise: it stands in the table, not in the sum.
    if (row.rule !== "blanks") {
      sum.of += row.of;
      sum.missed += row.missed;
    }
    console.log(`| ${fault.replaceAll("|", "\\|")} | \`${row.rule}\` | ${percent(row.missed, row.of)} |`);
  }
  console.log(`| all but warnings | | ${percent(sum.missed, sum.of)} |\n`);
}

function percent(part: number, whole: number): string {
  return `${part} of ${whole} (${whole === 0 ? "–" : ((100 * part) / whole).toFixed(1)} %)`;
}
