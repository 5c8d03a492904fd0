/**
 * `mailfuse init`: asks, and writes a typed configuration that sends nothing new and blocks nothing
 * in production until somebody says otherwise.
 *
 * @module
 */
import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import type { Command } from "commander";
import type { Act, Context } from "../context";
import { exit, UsageError } from "../exit";
import { ask, requireTerminal } from "../prompt";

/** What is asked, with the answers of `--yes`. */
interface Answers {
  /** The environment variable that names the environment. */
  readonly variable: string;
  readonly production: string;
  readonly staging: string;
  /** Whom staging may reach, as patterns. */
  readonly allow: readonly string[];
  readonly requesters: readonly string[];
}

/** Packages that send mail: where their adapter is, and what is attached. */
const clients: Readonly<Record<string, { readonly entry: string; readonly attach: string }>> = {
  nodemailer: { entry: "nodemailer", attach: "transporter" },
  "@sendgrid/mail": { entry: "sendgrid", attach: "sgMail" },
  "@sendgrid/client": { entry: "sendgrid", attach: "sgClient" },
  "mailgun.js": { entry: "mailgun", attach: "mailgun" },
  "@aws-sdk/client-sesv2": { entry: "ses", attach: "ses" },
  "@aws-sdk/client-ses": { entry: "ses", attach: "ses" },
  postmark: { entry: "postmark", attach: "postmark" },
  resend: { entry: "resend", attach: "resend" },
  "@getbrevo/brevo": { entry: "brevo", attach: "brevo" },
  "node-mailjet": { entry: "mailjet", attach: "mailjet" },
  "@mailchimp/mailchimp_transactional": { entry: "mailchimp", attach: "mailchimp" },
  loops: { entry: "loops", attach: "loops" },
  mailersend: { entry: "mailersend", attach: "mailerSend" },
};

const examples = `
Without a terminal, or with --yes, nothing is asked and the defaults are written. A file is never overwritten.

Examples:
  $ npx mailfuse init
  $ npx mailfuse init --yes
`;

export function addInit(program: Command, act: Act): void {
  program
    .command("init")
    .description("write a configuration with safe defaults, and show the one line for each mail client")
    .option("-y, --yes", "ask nothing, write the defaults")
    .addHelpText("after", examples)
    .action(
      act(async (context: Context, options: { yes?: boolean }) => {
        const { out, directory } = context;
        const manifest = readManifest(directory);
        const typed = existsSync(path.join(directory, "tsconfig.json")) || "typescript" in manifest.packages;
        const file = path.join(directory, `mailfuse.config.${typed ? "ts" : "mjs"}`);
        if (!options.yes) requireTerminal(context.io, "init asks", "Run it in a terminal, or with --yes.");
        const answers = options.yes ? defaults : await askAll(context);
        await writeFile(file, configText(answers, storeOf(manifest.packages)), { flag: "wx" }).catch(
          (error: NodeJS.ErrnoException) => {
            if (error.code !== "EEXIST") throw error;
            throw new UsageError(
              `Expected no ${path.basename(file)} here, got one.`,
              "Edit it, or move it away first.",
            );
          },
        );
        out.line(
          `Written: ${path.basename(file)}. Production observes: nothing is blocked but halts and unplanned bulk mail.`,
        );
        const found = Object.entries(clients).filter(([name]) => name in manifest.packages);
        out.title("One line for each mail client");
        if (found.length === 0)
          out.line("  No mail client stands in package.json. docs/adapters.md lists those that are known.");
        for (const [name, { entry, attach }] of found) {
          const factory = `${entry}Adapter`;
          out.line(`  ${out.style("bold", name)}`);
          out.line(`    import { ${factory} } from "mailfuse/${entry}";`);
          out.line(`    fuse.attach(${attach}, ${factory}());`);
        }
        out.line("\nThen: npx mailfuse doctor");
        out.json({ file, clients: found.map(([name, { entry }]) => ({ name, adapter: `mailfuse/${entry}` })) });
        return exit.ok;
      }),
    );
}

const defaults: Answers = {
  variable: "APP_ENV",
  production: "production",
  staging: "staging",
  allow: [],
  requesters: [],
};

async function askAll({ io }: Context): Promise<Answers> {
  const or = async (question: string, fallback: string) =>
    (await ask(io, `${question} [${fallback}]: `)).trim() || fallback;
  const list = async (question: string) =>
    (await ask(io, `${question} (several with commas) []: `))
      .split(",")
      .map((one) => one.trim())
      .filter(Boolean);
  return {
    variable: await or("Environment variable that names the environment", defaults.variable),
    production: await or("Its value in production", defaults.production),
    staging: await or("Its value in staging", defaults.staging),
    allow: await list("Whom staging may mail, for example *@acme.test"),
    requesters: await list("Who may ask for mass mails, by name"),
  };
}

interface Manifest {
  readonly packages: Readonly<Record<string, string>>;
}

function readManifest(directory: string): Manifest {
  try {
    const { dependencies, devDependencies } = JSON.parse(
      readFileSync(path.join(directory, "package.json"), "utf8"),
    ) as Record<string, Record<string, string> | undefined>;
    return { packages: { ...dependencies, ...devDependencies } };
  } catch {
    return { packages: {} };
  }
}

interface StoreChoice {
  readonly imports: string;
  readonly text: string;
}

/** SQLite where it opens; else one process's memory, which says of itself that it is not enough. */
function storeOf(packages: Manifest["packages"]): StoreChoice {
  const builtIn = Number(process.versions.node.split(".")[0]) >= 22;
  if (builtIn || "better-sqlite3" in packages) {
    return {
      imports: `import { sqliteStore } from "mailfuse/stores/sqlite";\n`,
      text: `sqliteStore({ path: "mailfuse.db" }), // several machines: mailfuse/stores/redis or mailfuse/stores/postgres`,
    };
  }
  return {
    imports: "",
    text: "memoryStore(), // one process only; see docs/stores.md for SQLite, Redis and PostgreSQL",
  };
}

function configText(answers: Answers, store: StoreChoice): string {
  const text = JSON.stringify;
  const memory = store.imports === "" ? ", memoryStore" : "";
  const variable = /^[A-Za-z_]\w*$/.test(answers.variable)
    ? `process.env.${answers.variable}`
    : `process.env[${text(answers.variable)}]`;
  return `import { createFuse${memory} } from "mailfuse";
${store.imports}
const secret = process.env.MAILFUSE_SECRET; // 16 characters or more; without it, one is kept in the store

export const fuse = createFuse({
  environment: ${variable}, // unset or not below: test mode, nothing leaves
  env: process.env, // looked at for markers of a CI, a test runner, a preview deployment
  environments: {
    ${text(answers.production)}: { mode: "observe" }, // "live" once \`npx mailfuse suggest\` has given purposes and caps
    ${text(answers.staging)}: { mode: "test", allow: ${text(answers.allow)} },
  },
  requesters: ${text(answers.requesters)}, // who may plan mass mails
  approvers: {}, // who may confirm them: \`npx mailfuse keys new <name>\` prints the line
  store: ${store.text}
  ...(secret ? { secret } : {}),
});
`;
}
