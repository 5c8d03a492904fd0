/**
 * Holds the direction of imports.
 *
 * - A file of `src` imports its own layer and lower ones. A file in no layer is an error: say where it stands.
 * - `adapters/*` import `src/adapter` and their own folder; `src/stores/*` import `src/store`, their own folder
 *   and what stores share: they use only the seam that outsiders get.
 * - No mail SDK and no database driver is imported at run time: they are injected. `import type` is free.
 * - No cycle at run time.
 *
 *     node scripts/imports.mjs [directory]
 *
 * @module
 */
import { isBuiltin } from "node:module";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { cycles } from "./cycles.mjs";
import { isStore } from "./entries.mjs";
import { line, sources, walk } from "./sources.mjs";

/** From the bottom up. A name stands for the file and the folder of that name in `src`. */
const layers = [
  "errors address alerts allowlist canonical clock content context suppression delivery hook late log message mime principals prototypes secrets snapshot strings",
  "adapter catching claim codec config guard hooked outcome purpose purposes send store",
  "core guards ledger plan under-way",
  "stores",
  "attach check describe drill exit fuse halting late-exit lock run sending start status suggest",
  "index testing",
  "cli console",
].map((names) => names.split(" "));

/** The only packages that may be loaded at run time, by who may load them. */
const packages = { src: ["jose", "tr46", "zod"], "src/cli": ["commander", "jiti"] };

/** An optional peer, loaded with the first passkey that is verified. */
const optional = new Map([["src/plan/passkeys", "@simplewebauthn/server"]]);

/** Folders that see of the core one file, the seam, and of that what is needed at once. */
const seams = { adapters: ["src/adapter", "src/catching"], "src/stores": ["src/store"] };

/** Where a name may be computed: `sqliteStore({ path })` looks for a driver, the command line loads a configuration. */
const loadsDriver = new Set(["src/stores/sqlite/driver", "src/cli/config-file"]);

/** Loads a package of ours synchronously when it is first needed, and names it beside that in an import(). */
const loadsLate = new Set(["src/address/uts46"]);

/** What reads every provider's API, and so imports every adapter's codec. */
const gathers = new Set(["adapters/fetch"]);

/**
 * @typedef {{ specifier: string | undefined, types: boolean, line: number }} Import
 *   `specifier` is undefined when it is computed; `types` means that nothing is left of it at run time
 */

/**
 * Every violation, as `file:line: what, and what to do`.
 *
 * @param {string} directory the package's folder
 * @returns {string[]}
 */
export function violations(directory) {
  const found = [];
  const files = sources(directory, ["src", "adapters"]);
  const modules = new Set(files.map(({ name }) => withoutExtension(name)));
  /** @type {Map<string, string[]>} */
  const runtime = new Map();

  for (const { name, tree } of files) {
    const from = withoutExtension(name);
    if (layerOf(from) === undefined && !from.startsWith("adapters/")) {
      found.push(`${name}:1: stands in no layer. Add it to the layers in scripts/imports.mjs.`);
    }
    for (const imported of importsOf(tree)) {
      const say = (/** @type {string} */ text) => found.push(`${name}:${imported.line}: ${text}`);
      if (imported.specifier === undefined) {
        if (loadsDriver.has(from) || loadsLate.has(from)) continue;
        say("loads a module by a computed name, which nobody can judge. Name it, or have it injected.");
      } else if (imported.specifier.startsWith(".")) {
        const to = resolve(from, imported.specifier, modules);
        if (to === undefined) say(`imports "${imported.specifier}", which is no file of src or adapters.`);
        else {
          const problem = judgeFile(from, to, directory);
          if (problem) say(problem);
          if (!imported.types) runtime.set(from, [...(runtime.get(from) ?? []), to]);
        }
      } else if (!imported.types && !builtin(imported.specifier)) {
        const problem = judgePackage(from, imported.specifier);
        if (problem) say(problem);
      }
    }
  }
  for (const cycle of cycles(runtime)) found.push(`${cycle[0]}.ts:1: imports itself by way of ${cycle.join(" → ")}.`);
  return found;
}

/**
 * @param {string} from
 * @param {string} to
 * @param {string} directory
 */
function judgeFile(from, to, directory) {
  for (const [folder, [seam, ...parts]] of Object.entries(seams)) {
    if (!from.startsWith(`${folder}/`)) continue;
    if (gathers.has(from) && to.startsWith("adapters/")) return undefined;
    if (to === seam || parts.includes(to) || sameUnit(folder, from, to) || storePart(directory, to)) return undefined;
    return `imports ${to}. Files of ${folder} import ${seam} and their own folder only: outsiders get no more.`;
  }
  if (to.startsWith("adapters/")) return `imports ${to}. Nothing in src knows a provider: adapters are attached.`;
  const own = layerOf(from);
  const other = layerOf(to);
  if (own === undefined || other === undefined || other <= own) return undefined;
  return `imports ${to}, which stands above it. Imports go one way: move what both need into a lower file.`;
}

/**
 * `adapters/x.ts` and the files in `adapters/x/` are one unit.
 *
 * @param {string} folder
 * @param {string} from
 * @param {string} to
 */
function sameUnit(folder, from, to) {
  const unit = (/** @type {string} */ name) => name.slice(folder.length + 1).split("/")[0];
  return to.startsWith(`${folder}/`) && unit(from) === unit(to);
}

/**
 * What stores share, beside them: `src/stores/x.ts` that is no store.
 *
 * @param {string} directory
 * @param {string} to
 */
function storePart(directory, to) {
  const name = /^src\/stores\/([^/]+)$/.exec(to)?.[1];
  return name !== undefined && !isStore(directory, name);
}

/**
 * @param {string} from
 * @param {string} specifier
 */
function judgePackage(from, specifier) {
  const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  const inSeam = Object.keys(seams).some((folder) => from.startsWith(`${folder}/`));
  const allowed = inSeam || from.startsWith("src/testing/") ? [] : [...packages.src];
  if (from.startsWith("src/cli/")) allowed.push(...packages["src/cli"]);
  if (allowed.includes(name) || optional.get(from) === name) return undefined;
  return `loads the package "${name}" at run time. Take it as an argument and type it structurally, or use import type.`;
}

/** @param {string} specifier */
function builtin(specifier) {
  // Node 20 does not know node:sqlite; the prefix says enough.
  return specifier.startsWith("node:") || isBuiltin(specifier);
}

/** @param {string} name */
function layerOf(name) {
  const [folder, key = ""] = name.split("/");
  const at = layers.findIndex((layer) => layer.includes(key));
  return folder === "src" && at >= 0 ? at : undefined;
}

/**
 * @param {ts.SourceFile} tree
 * @returns {Import[]}
 */
function importsOf(tree) {
  /** @type {Import[]} */
  const found = [];
  walk(tree, (node) => {
    if (ts.isImportDeclaration(node)) {
      found.push({ specifier: text(node.moduleSpecifier), types: onlyTypes(node), line: line(node) });
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
      found.push({ specifier: text(node.moduleSpecifier), types: onlyTypes(node), line: line(node) });
    } else if (ts.isImportTypeNode(node)) {
      const specifier = ts.isLiteralTypeNode(node.argument) ? text(node.argument.literal) : undefined;
      found.push({ specifier, types: true, line: line(node) });
    } else if (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference)) {
      found.push({ specifier: text(node.moduleReference.expression), types: node.isTypeOnly, line: line(node) });
    } else if (ts.isCallExpression(node) && loads(node)) {
      found.push({ specifier: loaded(node), types: false, line: line(node) });
    }
  });
  return found;
}

const loaders = new Set(["import", "require", "createRequire", "getBuiltinModule"]);

/** @param {ts.CallExpression} call */
function loads(call) {
  return loaders.has(called(call));
}

/**
 * What a loading call names. The product of createRequire takes any name, so it counts as computed.
 *
 * @param {ts.CallExpression} call
 */
function loaded(call) {
  const [argument] = call.arguments;
  return argument && called(call) !== "createRequire" ? text(argument) : undefined;
}

/** @param {ts.CallExpression} call */
function called({ expression }) {
  return ts.isPropertyAccessExpression(expression) ? expression.name.text : expression.getText();
}

/** @param {ts.ImportDeclaration | ts.ExportDeclaration} node */
function onlyTypes(node) {
  if (ts.isExportDeclaration(node)) return node.isTypeOnly;
  // `import { type A } from "x"` still loads x under verbatimModuleSyntax, so only the whole clause counts.
  return node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
}

/** @param {ts.Node} node */
function text(node) {
  return ts.isStringLiteralLike(node) ? node.text : undefined;
}

/**
 * @param {string} from
 * @param {string} specifier
 * @param {ReadonlySet<string>} modules
 */
function resolve(from, specifier, modules) {
  const target = path.posix.join(path.posix.dirname(from), specifier).replace(/\.[jt]s$/, "");
  return [target, `${target}/index`].find((candidate) => modules.has(candidate));
}

/** @param {string} file */
function withoutExtension(file) {
  return file.replace(/\.ts$/, "");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = violations(path.resolve(process.argv[2] ?? path.join(path.dirname(process.argv[1]), "..")));
  for (const violation of found) console.error(violation);
  if (found.length > 0) process.exitCode = 1;
  else console.log("Imports go one way.");
}
