/**
 * What commands write: human text on stderr, data on stdout. Text that came from elsewhere (a
 * subject, a reason) is stripped of what a terminal would obey.
 *
 * @module
 */
import { styleText } from "node:util";
import { MailfuseError } from "../errors";
import { UsageError } from "./exit";

/** What a process is made of, as far as a command sees it. */
export interface Io {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

type Style = Parameters<typeof styleText>[0];

/** Writes for people and for programs. */
export class Output {
  readonly #color: boolean;

  constructor(
    readonly io: Io,
    readonly options: { readonly json: boolean; readonly color: boolean },
  ) {
    this.#color = options.color && wantsColor(io);
  }

  /** A line for people. */
  line(text = ""): void {
    this.io.stderr.write(`${text}\n`);
  }

  /** A heading for people. */
  title(text: string): void {
    this.line(`\n${this.style("bold", text)}`);
  }

  /** Rows with their columns under each other. The last column is not padded. */
  table(rows: readonly (readonly string[])[]): void {
    const widths: number[] = [];
    for (const row of rows)
      row.forEach((cell, at) => {
        widths[at] = Math.max(widths[at] ?? 0, visible(cell));
      });
    for (const row of rows) {
      const cells = row.map((cell, at) =>
        at < row.length - 1 ? cell + " ".repeat((widths[at] ?? 0) - visible(cell)) : cell,
      );
      this.line(`  ${cells.join("  ")}`.trimEnd());
    }
  }

  /** The answer for a program; nothing unless `--json` was asked for. */
  json(value: unknown): void {
    if (this.options.json) this.io.stdout.write(`${JSON.stringify(value)}\n`);
  }

  /** What is made to be piped on: a token, a key, a configuration. With `--json`, `value` instead. */
  result(text: string, value: unknown): void {
    if (this.options.json) this.json(value);
    else this.io.stdout.write(`${text}\n`);
  }

  style(style: Style, text: string): string {
    // Without validation Node.js styles for stdout's sake; people read stderr.
    return this.#color
      ? (styleText as (style: Style, text: string, options: object) => string)(style, text, { validateStream: false })
      : text;
  }

  /** An error with its code, what was expected and came, and what to do. */
  error(error: unknown): void {
    const told = tell(error);
    for (const { code, message, fix, where } of told) {
      const place = where ? ` at ${plain(where)}` : "";
      this.line(`${this.style("red", code)}${place}: ${plain(message)}`);
      if (fix) this.line(`  ${this.style("cyan", "fix:")} ${plain(fix)}`);
    }
    this.json({ error: { code: told[0]?.code, reasons: told } });
  }
}

interface Told {
  readonly code: string;
  readonly message: string;
  readonly fix?: string;
  readonly where?: string;
}

/** So many reasons are read; a refused plan has thousands. */
const mostReasons = 20;

function tell(error: unknown): readonly Told[] {
  if (MailfuseError.isInstance(error)) return error.refusals.slice(0, mostReasons);
  if (error instanceof UsageError)
    return [{ code: "USAGE", message: error.message, ...(error.fix ? { fix: error.fix } : {}) }];
  const message = error instanceof Error ? error.message : String(error);
  return [{ code: "FAILED", message }];
}

function wantsColor({ env, stderr }: Io): boolean {
  if (env.NO_COLOR || env.TERM === "dumb") return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== "0";
  return stderr.isTTY === true;
}

/** How wide a text is on the screen, without the colours in it. */
function visible(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a colour is made of
  return text.replace(/\u001b\[[0-9;]*m/g, "").length;
}

/**
 * A text from elsewhere as one line: without control characters, which move the cursor or repaint
 * what stands above, and without marks that turn the direction of reading.
 */
export function plain(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, "\ufffd");
}

/** A time as people and logs write it: `2026-11-22 09:30:05Z`. */
export function time(at: number): string {
  return new Date(at)
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/, "Z");
}

/** A length of time in the largest unit that is whole, for example `24h`. */
export function duration(ms: number): string {
  for (const [unit, size] of [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["m", 60_000],
    ["s", 1_000],
  ] as const) {
    if (ms >= size && ms % size === 0 && !(unit === "d" && ms === size)) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}
