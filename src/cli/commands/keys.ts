/**
 * `mailfuse keys new` and `mailfuse keys rotate`: an approver's key, on the approver's machine. The
 * private key is written sealed and leaves it never; the public one goes into the configuration.
 *
 * @module
 */
import { homedir } from "node:os";
import path from "node:path";
import type { Command } from "commander";
import { generateKeys } from "../../index";
import type { Act, Context } from "../context";
import { exit, UsageError } from "../exit";
import { readKeyFile, replaceKeyFile, shortestPassphrase, writeKeyFile } from "../key-file";
import { askSecret, requireTerminal } from "../prompt";

/** Where an approver's key lies unless `--key` says otherwise. */
export function keyPath(context: Context, named: string | undefined, name: string | undefined): string {
  const given = named ?? context.io.env.MAILFUSE_KEY;
  if (given !== undefined) return path.resolve(context.directory, given);
  if (name !== undefined) return path.join(homedir(), ".mailfuse", `${name}.key`);
  throw new UsageError(
    "Expected a key file, got none.",
    "Name it with --key or MAILFUSE_KEY, or say who you are with --by.",
  );
}

export function addKeys(program: Command, act: Act): void {
  const keys = program.command("keys").description("an approver's own key");
  keys
    .command("new")
    .description("make a key pair; the private key is sealed by a passphrase")
    .argument("<name>", "the approver's name in the configuration")
    .option("-k, --key <file>", "where to write it @default ~/.mailfuse/<name>.key")
    .addHelpText("after", "\nExample:\n  $ npx mailfuse keys new erin\n")
    .action(
      act(async (context: Context, name: string, options: { key?: string }) => {
        checkName(name);
        const file = keyPath(context, options.key, name);
        const passphrase = await newPassphrase(context);
        const made = generateKeys();
        await writeKeyFile(file, { name, ...made }, passphrase);
        tellPublicKey(context, name, file, [made.publicKey]);
        return exit.ok;
      }),
    );
  keys
    .command("rotate")
    .description("make a new key pair; the old one counts until it is taken out of the configuration")
    .argument("<name>", "the approver's name in the configuration")
    .option("-k, --key <file>", "the present key file @default ~/.mailfuse/<name>.key")
    .addHelpText("after", "\nExample:\n  $ npx mailfuse keys rotate erin\n")
    .action(
      act(async (context: Context, name: string, options: { key?: string }) => {
        const file = keyPath(context, options.key, name);
        const old = await readKeyFile(file);
        if (old.name !== name) throw new UsageError(`Expected the key file of ${name}, got another person's.`);
        const passphrase = await newPassphrase(context);
        const made = generateKeys();
        // Written aside first: a full disk must not leave the approver without any key.
        await writeKeyFile(`${file}.new`, { name, ...made }, passphrase);
        const retired = await replaceKeyFile(file, `old-${context.clock.now()}`);
        tellPublicKey(context, name, file, [made.publicKey, old.publicKey]);
        context.out.line(`The old key lies in ${retired}. Delete it once the configuration names the new one only.`);
        return exit.ok;
      }),
    );
}

function checkName(name: string): void {
  if (/^[\p{L}\p{N}][\p{L}\p{N}._-]{0,63}$/u.test(name)) return;
  throw new UsageError(
    "Expected a name of letters, digits, dots and dashes, got another one.",
    "Take the name that stands under `approvers`.",
  );
}

async function newPassphrase(context: Context): Promise<string> {
  requireTerminal(context.io, "a passphrase is typed", "Run it in a terminal; a key without a passphrase is not made.");
  const passphrase = await askSecret(context.io, `Passphrase (${shortestPassphrase} characters or more): `);
  if ([...passphrase].length < shortestPassphrase) {
    throw new UsageError(
      `Expected a passphrase of at least ${shortestPassphrase} characters, got ${[...passphrase].length}.`,
    );
  }
  if ((await askSecret(context.io, "Once more: ")) !== passphrase) {
    throw new UsageError("Expected the same passphrase twice, got two different ones.");
  }
  return passphrase;
}

function tellPublicKey(context: Context, name: string, file: string, publicKeys: readonly string[]): void {
  const value = publicKeys.length === 1 ? JSON.stringify(publicKeys[0]) : JSON.stringify(publicKeys);
  context.out.line(`The sealed private key is in ${file}. Into the configuration:`);
  context.out.result(`approvers: { ${JSON.stringify(name)}: { publicKey: ${value} } },`, { name, file, publicKeys });
}
