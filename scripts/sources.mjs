/**
 * The parsed source files that the lints of this folder read.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";

/**
 * @param {string} directory the package's folder
 * @param {readonly string[]} folders
 * @returns {{ name: string, tree: ts.SourceFile }[]} names relative to the directory, with `/`
 */
export function sources(directory, folders) {
  return folders
    .flatMap((folder) => typescriptFiles(path.join(directory, folder)))
    .map((file) => ({
      name: path.relative(directory, file).split(path.sep).join("/"),
      tree: ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true),
    }));
}

/**
 * @param {ts.Node} node
 * @param {(node: ts.Node) => void} visit called for the node and everything below it
 */
export function walk(node, visit) {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

/** @param {ts.Node} node */
export function line(node) {
  const tree = node.getSourceFile();
  return tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1;
}

/**
 * @param {string} folder
 * @returns {string[]}
 */
function typescriptFiles(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((item) => {
      const full = path.join(folder, item.name);
      if (item.isDirectory()) return typescriptFiles(full);
      return item.name.endsWith(".ts") ? [full] : [];
    })
    .sort();
}
