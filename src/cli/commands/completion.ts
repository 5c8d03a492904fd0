/**
 * `mailfuse completion`: what the shell needs to complete commands and options.
 *
 * @module
 */
import type { Command } from "commander";
import type { Act, Context } from "../context";
import { exit, UsageError } from "../exit";

/** A command as shells see it: the words before it, and what may follow. */
interface Words {
  readonly path: string;
  readonly next: readonly string[];
}

export function addCompletion(program: Command, act: Act): void {
  program
    .command("completion")
    .description("print a completion script for bash, zsh or fish")
    .argument("<shell>", "bash, zsh or fish")
    .addHelpText(
      "after",
      "\nExamples:\n  $ npx mailfuse completion bash >> ~/.bashrc\n  $ npx mailfuse completion fish > ~/.config/fish/completions/mailfuse.fish\n",
    )
    .action(
      act(async (context: Context, shell: string) => {
        const script = { bash, zsh, fish }[shell];
        if (!script) throw new UsageError("Expected bash, zsh or fish, got another shell.");
        const text = script(words(program, ""));
        context.out.result(text, { shell, script: text });
        return exit.ok;
      }),
    );
}

function words(command: Command, path: string): readonly Words[] {
  const options = command.options.map(({ long }) => long ?? "").filter(Boolean);
  const inner = command.commands.map((one) => one.name());
  return [
    { path, next: [...inner, ...options, "--help"] },
    ...command.commands.flatMap((one) => words(one, `${path} ${one.name()}`.trim())),
  ];
}

function bash(all: readonly Words[]): string {
  const cases = all.map(({ path, next }) => `    "${path}") words="${next.join(" ")}" ;;`).join("\n");
  return `_mailfuse() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" words="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) path="\${path:+$path }$word" ;; esac
  done
  case "$path" in
${cases}
    *) words="--help" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _mailfuse mailfuse`;
}

function zsh(all: readonly Words[]): string {
  return `autoload -U +X bashcompinit && bashcompinit\n${bash(all)}`;
}

function fish(all: readonly Words[]): string {
  return all
    .flatMap(({ path, next }) => {
      const seen =
        path === ""
          ? "__fish_use_subcommand"
          : path
              .split(" ")
              .map((word) => `__fish_seen_subcommand_from ${word}`)
              .join("; and ");
      return next.map((word) =>
        word.startsWith("--")
          ? `complete -c mailfuse -n '${seen}' -l ${word.slice(2)}`
          : `complete -c mailfuse -f -n '${seen}' -a ${word}`,
      );
    })
    .join("\n");
}
