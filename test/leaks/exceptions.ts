/** Where an address, a subject or a body may stand. Each exception has to be used, or the run fails. */
import type { Kind } from "./findings";

export interface Exception {
  readonly kinds: readonly Kind[];
  /** The test files that it is for; all when it is left out. */
  readonly file?: RegExp;
  /** The places of these kinds that it is for; all when it is left out. */
  readonly place?: RegExp;
  /** What has to stand around it; anything when it is left out. */
  readonly around?: RegExp;
  /** Names it, and says why. */
  readonly why: string;
}

const exceptions: readonly Exception[] = [
  {
    kinds: ["store", "file", "server"],
    around: /"messageIds?":[^}]*@/,
    why: "the id of a message is in the ledger as the provider gave it: a number and a domain, or what the application chose",
  },
  {
    kinds: ["store"],
    place: /^settle messageId$/,
    why: "the id of a message is told to the store with the outcome",
  },
  {
    kinds: ["child"],
    file: /\/test\/cli\//,
    place: /^node cli\.js check /,
    why: "`mailfuse check ADDRESS` answers the person who typed the address",
  },
  {
    kinds: ["child"],
    file: /\/test\/cli\//,
    place: /^script .*\bcli\.js confirm /,
    why: "`mailfuse confirm` shows an approver, in a terminal, samples of the mails to be confirmed",
  },
  {
    kinds: ["file"],
    file: /\/test\/cli\//,
    place: /\/project-\w+\/(?:plan\.mjs|mailfuse\.config\.\w+)$/,
    why: "an application's own program and configuration: allowlists name addresses",
  },
  {
    kinds: ["file"],
    file: /\/test\/(?:cli|ledger\/crash)/,
    place: /\/node_modules\/\.cache\/mailfuse-\w+[-/]\w+\/(?:mailfuse\/dist\/[\w/-]+\.js|child\.mjs)$/,
    why: "the built package holds the examples of its documentation",
  },
  {
    kinds: ["file"],
    file: /\/test\/readme\.test\.ts$/,
    place: /\/program-\d+\.ts$/,
    why: "the README's programs are written into files to be run",
  },
  {
    kinds: ["file"],
    file: /\/nodemailer-transports\.test\.ts$/,
    place: /\/mailfuse-sendmail-\w+\/(?:args|mail)$/,
    why: "the mailbox of a mail server: what `sendmail` was called with and given",
  },
  {
    kinds: ["file"],
    file: /\/nodemailer-spool\.test\.ts$/,
    place: /\/mailfuse-spool-\w+\/mail$/,
    why: "what an adapter spools, before a plan seals it: this test hands it to another process by itself",
  },
  {
    kinds: ["error"],
    file: /\/snapshot\.test\.ts$/,
    place: /^cause$/,
    why: "an error's `cause` is what the application threw, as it threw it",
  },
];

/** Those that a test file can use. */
export function exceptionsOf(testFile: string): readonly Exception[] {
  return exceptions.filter(({ file }) => file?.test(testFile) ?? true);
}
