import { readFileSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { foreignTypes } from "../../scripts/declarations.mjs";
import { bins, builtFiles, disagreements, entries } from "../../scripts/entries.mjs";
import { walk } from "../../scripts/sources.mjs";
import { type Installed, installPacked, layProject, root, run } from "./installed";
import { majors, Nodes } from "./nodes";

const specifiers = entries().map((entry) => (entry.path === "." ? "mailfuse" : `mailfuse${entry.path.slice(1)}`));
const typescript = path.join(root, "node_modules/typescript/bin/tsc");

let installed: Installed;
let nodes: Nodes;

beforeAll(() => {
  installed = installPacked();
  nodes = new Nodes();
});

afterAll(() => {
  installed?.remove();
  nodes?.remove();
});

describe("the tarball", () => {
  test("list, exports and built files agree", () => {
    expect(disagreements()).toEqual([]);
  });

  test("holds what was built and the papers, nothing else", () => {
    const papers = ["CHANGELOG.md", "LICENSE", "NOTICE.md", "README.md", "SECURITY.md", "package.json"];
    expect(installed.files).toEqual(expect.arrayContaining([...builtFiles()].sort()));
    const others = installed.files.filter((file) => !file.startsWith("dist/"));
    expect(papers).toEqual(expect.arrayContaining(others));
    expect(others).toEqual(expect.arrayContaining(["LICENSE", "package.json"]));
  });

  test("runs nothing on install and brings the declared dependencies only", () => {
    const scripts = Object.keys(manifest.scripts);
    expect(scripts.filter((name) => /^(?:pre|post)?(?:install|prepare)$/.test(name))).toEqual([]);
    expect(Object.keys(manifest.dependencies).sort()).toEqual(["commander", "jiti", "jose", "tr46"]);
    const peers = Object.keys(manifest.peerDependencies);
    const optional = Object.entries(manifest.peerDependenciesMeta).filter(([, { optional }]) => optional);
    expect(optional.map(([name]) => name).sort()).toEqual([...peers].sort());
    const listed = run("npm", ["ls", "--all", "--parseable"], installed.directory).stdout;
    for (const peer of peers) expect(listed).not.toContain(`${path.sep}node_modules${path.sep}${peer}\n`);
  });

  test("its CommonJS files need no loader for ES modules", () => {
    const built = path.join(installed.directory, "node_modules/mailfuse");
    for (const file of installed.files.filter((name) => name.endsWith(".cjs"))) {
      const text = readFileSync(path.join(built, file), "utf8");
      const loads: string[] = [];
      walk(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS), (node) => {
        if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
          loads.push(node.getText());
        if (ts.isMetaProperty(node) && node.name.text === "meta") loads.push(node.getText());
      });
      expect(loads, file).toEqual([]);
    }
  });

  test("its types need nothing but the dependencies", () => {
    expect(foreignTypes(path.join(installed.directory, "node_modules/mailfuse"))).toEqual([]);
  });
});

let laid = 0;
function project(files: Readonly<Record<string, string>>): string {
  laid += 1;
  return layProject(installed, `project-${laid}`, files);
}

/** Prints the names every entry exports, as JSON. */
const esm = `
${specifiers.map((name, at) => `import * as m${at} from ${JSON.stringify(name)};`).join("\n")}
const all = [${specifiers.map((_, at) => `m${at}`).join(", ")}];
console.log(JSON.stringify(all.map((m) => Object.keys(m).sort())));
`;
const cjs = `
const all = ${JSON.stringify(specifiers)}.map((name) => require(name));
console.log(JSON.stringify(all.map((m) => Object.keys(m).sort())));
`;

/** Throws with one copy of the package and recognises with the other. */
const both = `
import { createRequire } from "node:module";
import * as esm from "mailfuse";
const cjs = createRequire(import.meta.url)("mailfuse");
const refusal = { code: "INTERNAL", message: "for the test" };
console.log(JSON.stringify([
  esm.MailfuseError !== cjs.MailfuseError,
  esm.MailfuseError.isInstance(new cjs.MailfuseError(refusal)),
  cjs.MailfuseError.isInstance(new esm.MailfuseError(refusal)),
]));
`;

/** Says whether a connection to a mail port of this machine is let through to the network. */
const locked = `
import "mailfuse/lock";
import net from "node:net";
const socket = net.connect({ host: "127.0.0.1", port: 587 });
socket.on("error", (error) => console.log(error.code));
socket.on("connect", () => { console.log("connected"); socket.destroy(); });
`;

test.skipIf(!specifiers.includes("mailfuse/lock"))("a bundler keeps what acts on import: the egress lock", async () => {
  const directory = project({ "index.mjs": locked });
  const options = { bundle: true, treeShaking: true, platform: "node", absWorkingDir: directory } as const;
  await build({ ...options, entryPoints: ["index.mjs"], format: "esm", outfile: "bundle.mjs" });
  await build({ ...options, entryPoints: ["index.mjs"], format: "cjs", outfile: "bundle.cjs" });
  for (const file of ["index.mjs", "bundle.mjs", "bundle.cjs"]) {
    expect(run(process.execPath, [file], directory).stdout.trim(), file).toBe("UNGUARDED_SEND");
  }
});

/** A use of the package by its types: a wrong or missing declaration does not compile. */
const typed = `
${specifiers.map((name, at) => `import * as m${at} from ${JSON.stringify(name)};`).join("\n")}
import { type ErrorCode, MailfuseError, type Refusal } from "mailfuse";
const refusal: Refusal = { code: "INTERNAL", message: "for the test" };
const code: ErrorCode = new MailfuseError(refusal).code;
// @ts-expect-error: a type that became any would take this
const wrong: number = new MailfuseError(refusal).code;
const all: readonly object[] = [${specifiers.map((_, at) => `m${at}`).join(", ")}];
console.log(JSON.stringify([code, typeof wrong, all.length]));
`;

const options = {
  target: "es2022",
  module: "nodenext",
  strict: true,
  exactOptionalPropertyTypes: true,
  // The published declarations are checked themselves, too.
  skipLibCheck: false,
  types: ["node"],
  typeRoots: [path.join(root, "node_modules/@types")],
};
const tsconfig = JSON.stringify({ compilerOptions: options, include: ["index.ts"] });

const moduleTypes = ["module", "commonjs"];
const compiled = new Map<string, string>();

/** Compiles the typed project once; its output is the same for every Node.js. */
function compile(type: string): string {
  const before = compiled.get(type);
  if (before !== undefined) return before;
  const directory = project({
    "package.json": JSON.stringify({ type }),
    "tsconfig.json": tsconfig,
    "index.ts": typed,
  });
  run(process.execPath, [typescript, "--project", "."], directory);
  compiled.set(type, directory);
  return directory;
}

test.for(moduleTypes)("TypeScript, %s: every entry compiles, its declarations checked too", (type) => {
  expect(() => compile(type)).not.toThrow();
});

describe.each(majors)("on Node %s", (major) => {
  const node = (skip: (note: string) => never) => nodes.command(major) ?? skip(nodes.why(major));

  test("JavaScript: every entry can be imported and required, and exports the same names", ({ skip }) => {
    const command = node(skip);
    const imported = run(command, ["index.mjs"], project({ "index.mjs": esm })).stdout;
    // Without the newer Nodes' require() of ES modules: the CommonJS files must not lean on it.
    const required = run(
      command,
      ["--no-experimental-require-module", "index.cjs"],
      project({ "index.cjs": cjs }),
    ).stdout;
    expect(JSON.parse(required)).toEqual(JSON.parse(imported));
    for (const [at, names] of (JSON.parse(imported) as string[][]).entries()) {
      expect(names, specifiers[at]).not.toEqual([]);
    }
  });

  test("two copies of the package know each other's errors", ({ skip }) => {
    const answer = run(node(skip), ["index.mjs"], project({ "index.mjs": both })).stdout;
    expect(JSON.parse(answer)).toEqual([true, true, true]);
  });

  test.for(moduleTypes)("TypeScript, %s: what was compiled runs", (type, { skip }) => {
    const command = node(skip);
    const answer = run(command, ["index.js"], compile(type)).stdout;
    expect(JSON.parse(answer)).toEqual(["INTERNAL", "string", specifiers.length]);
  });

  test.skipIf(bins().length === 0)("the command starts", ({ skip }) => {
    const command = node(skip);
    for (const { file } of bins()) {
      const answer = run(command, [path.join("node_modules/mailfuse", file), "--help"], installed.directory).stdout;
      expect(answer).toContain("mailfuse");
    }
  });
});
