/**
 * The strict path for an addr-spec: a dot-atom local part, an `@`, a domain (RFC 5321, 4.1.2; for
 * UTF-8 local parts RFC 6531). Nothing obsolete, quoted, commented or literal.
 *
 * @module
 */
import type { Address } from "../address";
import { findControl, findInvisible } from "./characters";
import { readDomain } from "./domain";
import { classOf, LOCAL } from "./plain";
import * as problem from "./problems";
import { isProblem, type Problem } from "./problems";

/** Reads an address that stands alone: no name, no angle brackets, no blanks around it. */
export function readSpec(text: string): Address | Problem {
  const sign = findControl(text);
  if (sign !== undefined) return problem.control(sign);
  const misfit = findMisfit(text);
  if (misfit) return misfit;
  const at = text.indexOf("@");
  if (at < 0) return /[\uff20\ufe6b]/.test(text) ? problem.lookalikeAt : problem.noAt;
  if (text.indexOf("@", at + 1) >= 0) return problem.twoAts;
  const local = text.slice(0, at);
  const wrong = checkLocal(local);
  if (wrong) return wrong;
  const domain = readDomain(text.slice(at + 1));
  if (isProblem(domain)) return domain;
  const address = `${local}@${domain.domain}`;
  if (Buffer.byteLength(address) > 254) return problem.addressTooLong;
  return { address, person: address.toLowerCase().normalize("NFC") };
}

/** The first character that makes of the text something else than an address. */
function findMisfit(text: string): Problem | undefined {
  for (let i = 0; i < text.length; i++) {
    switch (text[i]) {
      case '"':
        return problem.quotedLocal;
      case "(":
      case ")":
        return problem.comment;
      case " ":
      case "\t":
        return problem.space;
      case ",":
      case ";":
        return problem.packed;
      case "<":
      case ">":
        return problem.angles;
      case "[":
      case "]":
        return problem.literal;
      case ":":
        return problem.colon;
      case "\\":
        return problem.backslash;
      case "?":
        if (text[i - 1] === "=") return problem.encodedWord;
        break;
    }
  }
  return undefined;
}

function checkLocal(local: string): Problem | undefined {
  if (local === "") return problem.noLocal;
  if (local.length > 64 || Buffer.byteLength(local) > 64) return problem.localTooLong;
  if (local.startsWith(".") || local.endsWith(".") || local.includes("..")) return problem.localDots;
  if (/[%!]/.test(local)) return problem.routing;
  if (/^[-/|]/.test(local)) return problem.leading;
  let ascii = true;
  for (const character of local) {
    const code = character.codePointAt(0) as number;
    if (code > 127) ascii = false;
    else if (!(classOf(code) & LOCAL)) return problem.localCharacter(character);
  }
  return ascii ? undefined : checkUnicodeLocal(local);
}

/**
 * Letters, marks and digits only, in a form that normalising changes nothing of: a reader that
 * applies NFKC, as many do to user names, must not see another mailbox (U+FF20 becomes `@`).
 */
function checkUnicodeLocal(local: string): Problem | undefined {
  const hidden = findInvisible(local);
  if (hidden !== undefined) return problem.invisible(hidden);
  const odd = /[^\0-\x7f\p{L}\p{M}\p{N}]/u.exec(local);
  if (odd) return problem.localCharacter(odd[0]);
  if (/^\p{M}/u.test(local)) return problem.leadingMark;
  // Thai and Lao AM are everyday letters that NFKC takes apart; RFC 6532 asks for NFC, not NFKC.
  const compared = local.replace(/\u0e33/g, "\u0e01").replace(/\u0eb3/g, "\u0e81");
  return local.normalize("NFC") !== local || compared.normalize("NFKC") !== compared ? problem.localForm : undefined;
}
