/**
 * Writes the CommonJS half of dist.
 *
 * tsup's own way to share chunks between CommonJS entries passes the code through a transform that breaks
 * some of it (a class that calls `super(), this.x = …`). So esbuild splits the entries as ES modules here,
 * and then turns each file, by itself, into CommonJS.
 *
 * @module
 */
import { copyFile, mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";
import { bundled, entries, isOf } from "./entries.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");

const split = await build({
  absWorkingDir: root,
  entryPoints: entries().map(({ name, source }) => ({ in: source, out: name })),
  outdir: "dist",
  outExtension: { ".js": ".cjs" },
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  write: false,
  logLevel: "warning",
  plugins: [
    {
      name: "packages stay outside, except those bundled",
      setup(api) {
        api.onResolve({ filter: /^[^./]/ }, ({ path: specifier, kind }) =>
          kind === "entry-point" || isOf(bundled, specifier) ? undefined : { path: specifier, external: true },
        );
      },
    },
  ],
});

for (const { path: file, text } of split.outputFiles) {
  const usesUrl = text.includes("import.meta.url");
  const { code } = await transform(text, {
    format: "cjs",
    platform: "node",
    target: "node20",
    // Jest's loader for CommonJS has no import().
    supported: { "dynamic-import": false },
    ...(usesUrl && {
      define: { "import.meta.url": "mailfuseModuleUrl" },
      banner: 'const mailfuseModuleUrl = require("node:url").pathToFileURL(__filename).href;',
    }),
  });
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, code);
}
// Their licences ask to be shipped with their code.
for (const name of bundled) {
  await mkdir(path.join(root, "dist/licenses"), { recursive: true });
  const files = await readdir(path.join(root, "node_modules", name));
  const licence = files.find((file) => /^licen[cs]e(?:\.md|\.txt)?$/i.test(file));
  if (!licence) throw new Error(`Expected the licence of ${name} among its files, got none.`);
  await copyFile(path.join(root, "node_modules", name, licence), path.join(root, `dist/licenses/${name}.md`));
}
process.stdout.write(`${split.outputFiles.length} CommonJS files written.\n`);
