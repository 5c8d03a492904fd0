#!/usr/bin/env node
/**
 * `npx mailfuse`: the process around {@link main}.
 *
 * @module
 */
import { Console } from "node:console";
import { readFileSync } from "node:fs";
import process from "node:process";
import { main } from "./main";

// The application's own code is loaded with the configuration, and may print. What it prints is for
// people: stdout holds the answer of the command and nothing else.
globalThis.console = new Console({ stdout: process.stderr, stderr: process.stderr });

const { stdin, stdout, stderr, env } = process;
// A reader that has gone (`| head`) ends no command: a release goes on.
for (const stream of [stdout, stderr]) stream.on("error", () => {});
const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
const code = await main(process.argv.slice(2), { stdin, stdout, stderr, env }, process.cwd(), manifest.version);
// Clients that the configuration opened keep a process alive; stdout is written out first.
await new Promise((resolve) => stdout.write("", resolve));
process.exit(code);
