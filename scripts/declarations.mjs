/**
 * Holds that the published types import nothing but what comes along: node, this package and its
 * dependencies. A type of an optional peer in there would break the compile of everyone without that peer.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import ts from "typescript";

/**
 * @param {string} directory the package's folder, built
 * @returns {string[]}
 */
export function foreignTypes(directory) {
  const { dependencies = {} } = JSON.parse(readFileSync(path.join(directory, "package.json"), "utf8"));
  const dist = path.join(directory, "dist");
  if (!existsSync(dist)) return ["dist is not there. Run: npm run build"];
  return readdirSync(dist, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.d\.c?ts$/.test(file))
    .flatMap((file) => {
      const { importedFiles } = ts.preProcessFile(readFileSync(path.join(dist, file), "utf8"), true, true);
      return importedFiles
        .map(({ fileName }) => fileName)
        .filter((name) => !/^(?:\.|node:)/.test(name) && !(packageOf(name) in dependencies))
        .map((name) => `dist/${file} needs the types of "${name}". Type the client structurally instead.`);
    });
}

/** @param {string} specifier */
function packageOf(specifier) {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = foreignTypes(path.resolve(path.dirname(process.argv[1]), ".."));
  for (const foreign of found) console.error(foreign);
  if (found.length > 0) process.exitCode = 1;
  else console.log("The published types need nothing but the dependencies.");
}
