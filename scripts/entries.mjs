/**
 * The one list of what the package lets people import. tsup builds from it, package.json's `exports` is
 * written from it, and `check:exports` fails when the list, the declarations and the built files disagree.
 *
 *     node scripts/entries.mjs            prints the list
 *     node scripts/entries.mjs --write    writes package.json's exports, bin and sideEffects from it
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");

/**
 * Entries with a name of their own: import path → source. To add one, add a line here; adapters and stores
 * are found by themselves.
 */
const named = {
  ".": "src/index.ts",
  "./adapter": "src/adapter.ts",
  "./testing": "src/testing/index.ts",
  "./lock": "src/lock.ts",
  "./console": "src/console/index.ts",
};

/** Commands: name → source. Built as ESM only, because nobody imports them. */
const commands = { mailfuse: "src/cli/bin.ts" };

/** Packages that the CommonJS files hold. jose is ESM only: Node 20.19 can require() it, Jest's loader cannot. */
export const bundled = ["jose", "zod"];

/** Packages that all files hold. Of zod a tenth is used; loading the rest takes longer than all of mailfuse. */
export const alwaysBundled = ["zod"];

/**
 * Whether an import is of one of these packages.
 *
 * @param {readonly string[]} packages
 * @param {string} specifier
 */
export function isOf(packages, specifier) {
  return packages.some((name) => specifier === name || specifier.startsWith(`${name}/`));
}

/** Entries that act when they are imported: a bundler must not drop `import "mailfuse/lock"` as unused. */
const acting = ["./lock"];

/**
 * Every entry whose source exists.
 *
 * @param {string} [directory] the package's folder
 * @returns {{ path: string, name: string, source: string }[]} `path` as in exports, `name` as in dist
 */
export function entries(directory = root) {
  const found = Object.entries(named)
    .concat(files(directory, "adapters").map((name) => [`./${name}`, `adapters/${name}.ts`]))
    .concat(
      files(directory, "src/stores")
        // The main entry exports the memory store already.
        .filter((name) => name !== "memory" && isStore(directory, name))
        .map((name) => [`./stores/${name}`, `src/stores/${name}.ts`]),
    )
    .filter(([, source]) => existsSync(path.join(directory, source)))
    .map(([exported, source]) => ({ path: exported, name: exported === "." ? "index" : exported.slice(2), source }));
  const twice = found.find((entry, at) => found.findIndex((other) => other.path === entry.path) !== at);
  if (twice) throw new Error(`Expected each import path once, got "${twice.path}" from two sources.`);
  return found;
}

/**
 * Every command whose source exists.
 *
 * @param {string} [directory] the package's folder
 */
export function bins(directory = root) {
  return Object.entries(commands)
    .filter(([, source]) => existsSync(path.join(directory, source)))
    .map(([name, source]) => ({ name, source, file: "dist/cli.js" }));
}

/**
 * The fields of package.json that follow from the list.
 *
 * @param {string} [directory] the package's folder
 */
export function manifestFields(directory = root) {
  const listed = entries(directory);
  /** @type {Record<string, unknown>} */
  const exported = {};
  for (const { path: key, name } of listed) {
    exported[key] = {
      import: { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` },
      require: { types: `./dist/${name}.d.cts`, default: `./dist/${name}.cjs` },
    };
  }
  exported["./package.json"] = "./package.json";
  const commandFiles = bins(directory).map(({ name, file }) => [name, file]);
  const actingFiles = listed
    .filter((entry) => acting.includes(entry.path))
    .flatMap(({ name }) => [`./dist/${name}.js`, `./dist/${name}.cjs`]);
  return {
    sideEffects: actingFiles.length > 0 ? actingFiles : false,
    exports: exported,
    bin: commandFiles.length > 0 ? Object.fromEntries(commandFiles) : undefined,
  };
}

/**
 * Every file that the build must have written for the list.
 *
 * @param {string} [directory] the package's folder
 */
export function builtFiles(directory = root) {
  return entries(directory)
    .flatMap(({ name }) => ["js", "cjs", "d.ts", "d.cts"].map((extension) => `dist/${name}.${extension}`))
    .concat(bins(directory).map(({ file }) => file))
    .concat(bundled.map((name) => `dist/licenses/${name}.md`));
}

/**
 * Where list, declarations and built files disagree; empty when they agree.
 *
 * @param {string} [directory] the package's folder
 * @returns {string[]}
 */
export function disagreements(directory = root) {
  const found = [];
  const manifest = JSON.parse(readFileSync(path.join(directory, "package.json"), "utf8"));
  const expected = manifestFields(directory);
  for (const field of /** @type {const} */ (["exports", "bin", "sideEffects"])) {
    if (JSON.stringify(manifest[field]) !== JSON.stringify(expected[field])) {
      found.push(`package.json: ${field} differs from the list. Run: node scripts/entries.mjs --write`);
    }
  }
  const built = new Set(builtFiles(directory));
  for (const file of built) {
    if (!existsSync(path.join(directory, file))) found.push(`${file} is listed and was not built. Run: npm run build`);
  }
  for (const file of walk(path.join(directory, "dist"))) {
    const name = path.relative(directory, file).split(path.sep).join("/");
    // Code that entries share, named by tsup after its content; nothing outside dist can reach it.
    if (built.has(name) || /-(?:[A-Z2-7]{8}\.c?js|[\w-]{8}\.d\.c?ts)$/.test(name)) continue;
    found.push(`${name} was built and is not listed. Remove it, or add a line to scripts/entries.mjs.`);
  }
  return found;
}

/**
 * `src/stores/x.ts` is a store when it exports `xStore`; other files there are what stores share.
 *
 * @param {string} directory the package's folder
 * @param {string} name
 */
export function isStore(directory, name) {
  const text = readFileSync(path.join(directory, "src/stores", `${name}.ts`), "utf8");
  return new RegExp(`^export (?:async )?(?:function|const) ${name}Store\\b`, "m").test(text);
}

/**
 * @param {string} directory
 * @param {string} folder
 */
function files(directory, folder) {
  const full = path.join(directory, folder);
  if (!existsSync(full)) return [];
  return readdirSync(full)
    .filter((file) => file.endsWith(".ts"))
    .map((file) => file.slice(0, -3))
    .sort();
}

/**
 * @param {string} directory
 * @returns {string[]}
 */
function walk(directory) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true }).flatMap((item) => {
    const full = path.join(directory, item.name);
    return item.isDirectory() ? walk(full) : [full];
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes("--write")) {
    const file = path.join(root, "package.json");
    const manifest = JSON.parse(readFileSync(file, "utf8"));
    Object.assign(manifest, manifestFields());
    writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`);
  } else if (process.argv.includes("--check")) {
    const found = disagreements();
    for (const line of found) console.error(line);
    if (found.length > 0) process.exitCode = 1;
    else console.log(`${entries().length} entries: list, exports and built files agree.`);
  } else {
    for (const { path: exported, source } of entries()) console.log(`${exported.padEnd(24)} ${source}`);
  }
}
