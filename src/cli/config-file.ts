/**
 * Finds and loads `mailfuse.config.{ts,mjs,js,json}`: it exports the fuse, with its clients
 * attached, or the options to make one.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { type CorrectionRequest, createFuse, type Fuse, type FuseConfig, type IncidentOptions } from "../index";
import { UsageError } from "./exit";

const names = ["ts", "mts", "mjs", "js", "cjs", "json"].map((extension) => `mailfuse.config.${extension}`);

/** What a configuration gives to the commands. */
export interface Loaded {
  readonly file: string;
  readonly fuse: Fuse;
  /** The export `incident`: whom mails were rightly for, and how a correction is sent. */
  readonly incident?: Pick<IncidentOptions, "right"> &
    Partial<Pick<CorrectionRequest, "send" | "data" | "unsubscribed">>;
}

/** Loads the file named, or the nearest one from `directory` up to the package's folder. */
export async function loadConfig(directory: string, named: string | undefined): Promise<Loaded> {
  const file = named === undefined ? find(directory) : path.resolve(directory, named);
  if (file === undefined || !existsSync(file)) {
    throw new UsageError(
      `Expected ${named === undefined ? "a mailfuse.config.ts, .mjs, .js or .json here" : "the file named with --config"}, got none.`,
      "Make one with `npx mailfuse init`, or name yours with --config.",
    );
  }
  const module = await load(file);
  const exported = module.fuse ?? module.default ?? module;
  const fuse = isFuse(exported) ? exported : createFuse(exported as FuseConfig);
  return { file, fuse, ...(module.incident ? { incident: module.incident as NonNullable<Loaded["incident"]> } : {}) };
}

interface ConfigModule {
  readonly default?: unknown;
  readonly fuse?: unknown;
  readonly incident?: unknown;
}

function find(directory: string): string | undefined {
  for (let folder = path.resolve(directory); ; folder = path.dirname(folder)) {
    const found = names.map((name) => path.join(folder, name)).find((file) => existsSync(file));
    // Not beyond the package: the next configuration up there is somebody else's.
    if (found || existsSync(path.join(folder, "package.json")) || folder === path.dirname(folder)) return found;
  }
}

async function load(file: string): Promise<ConfigModule> {
  if (file.endsWith(".json")) return { default: JSON.parse(await readFile(file, "utf8")) as unknown };
  if (/\.m?ts$/.test(file)) {
    const { createJiti } = await import("jiti");
    return unwrap(await createJiti(pathToFileURL(file).href, { interopDefault: false }).import<ConfigModule>(file));
  }
  return unwrap((await import(pathToFileURL(file).href)) as ConfigModule);
}

/** A CommonJS file's exports come as `default`. */
function unwrap(module: ConfigModule): ConfigModule {
  const inner = module.default as ConfigModule | undefined;
  return module.fuse === undefined && inner && typeof inner === "object" && ("fuse" in inner || "default" in inner)
    ? inner
    : module;
}

// By its shape: the application's copy of the package is not always this one.
function isFuse(value: unknown): value is Fuse {
  const shape = value as Partial<Record<keyof Fuse, unknown>> | null | undefined;
  return (
    typeof shape === "object" &&
    shape !== null &&
    typeof shape.release === "function" &&
    typeof shape.describe === "function"
  );
}
