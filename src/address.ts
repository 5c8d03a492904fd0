/**
 * The one parser of e-mail addresses. Guards decide on what it reads, and what is delivered is
 * written anew from that, so it accepts only forms that every mail client, server and provider
 * reads alike. The rest is refused with `ADDRESS_AMBIGUOUS`, never guessed; what is no address at
 * all, with `ADDRESS_INVALID`.
 *
 * The grammar is a strict part of RFC 5322 and RFC 5321: dot-atom local parts (UTF-8 ones by RFC
 * 6531), domains of two labels or more, written as A-labels (UTS #46). Time is linear in the input.
 *
 * @module
 */

import { trimBlanks } from "./address/characters";
import { readList } from "./address/list";
import { readMailbox, withName } from "./address/mailbox";
import { writeName } from "./address/name";
import { readPlain, readPlainSpec } from "./address/plain";
import * as problem from "./address/problems";
import { isProblem, type Problem } from "./address/problems";
import { readSpec } from "./address/spec";
import { MailfuseError, type Refusal } from "./errors";

/** One address, read once. */
export interface Address {
  /** As it will stand on the wire: local part as given, domain as a lower-case A-label. */
  readonly address: string;
  /** Whom it counts as: the address lower-cased, in NFC. Two spellings of one person are one person. */
  readonly person: string;
  /** The display name, without quotes or encoding. Never empty. */
  readonly name?: string;
}

/** What a carrier of recipients holds: every address, and every reason why it may not be used. */
export interface ParsedAddresses {
  readonly addresses: readonly Address[];
  /** Empty when all was read. At most 100: reading stops there. */
  readonly problems: readonly Refusal[];
}

/** The key of an object that a carrier reads the address from. */
export type AddressKey = "address" | "email";

/** What a carrier takes in one string: a header value is a `"list"`, many API fields are `"single"`. */
export type AddressForm = "list" | "single";

const maxProblems = 100;
const maxDepth = 8;

/**
 * Reads one address: `ann@acme.test`, `<ann@acme.test>` or `Ann <ann@acme.test>`.
 *
 * @param where The place in the request, for the refusal.
 * @returns The address, or a refusal with `ADDRESS_INVALID` or `ADDRESS_AMBIGUOUS`.
 * @example
 * ```ts
 * const read = parseAddress('"Smith, Ann" <Ann@Bücher.test>', "to");
 * // { address: "Ann@xn--bcher-kva.test", person: "ann@xn--bcher-kva.test", name: "Smith, Ann" }
 * if ("code" in read) throw new MailfuseError(read);
 * ```
 */
export function parseAddress(text: string, where: string): Address | Refusal {
  if (typeof text !== "string") return { ...problem.notText(typeName(text)), where };
  const read = readPlain(text) ?? readMailbox(text, false);
  return isProblem(read) ? { ...read, where } : read;
}

/**
 * Reads a field of recipients: a string, an object with `address` (or `email`) and `name`, or an
 * array of these, nested at most eight deep. Missing and empty fields hold nobody.
 *
 * @param value A plain copy: own data properties only.
 * @param where The place in the request, for refusals, for example `messages[2].to`.
 * @param form What the carrier reads in one string. In a `"single"` one, a list is `ADDRESS_AMBIGUOUS`.
 * @param key The one key of objects that the carrier reads. Without it either will do, if they do not differ.
 * @example
 * ```ts
 * parseAddresses(["ann@acme.test, bob@acme.test", { name: "Carl", address: "carl@acme.test" }], "to", "list");
 * ```
 */
export function parseAddresses(value: unknown, where: string, form: AddressForm, key?: AddressKey): ParsedAddresses {
  const reader = new FieldReader(where, form, key);
  if (value !== "") reader.read(value, 0);
  return { addresses: reader.addresses, problems: reader.problems };
}

/**
 * Writes an address for a header or an API field: the name quoted where needed, the domain as an
 * A-label. What it writes, {@link parseAddress} reads back.
 *
 * @throws MailfuseError `ADDRESS_INVALID` or `ADDRESS_AMBIGUOUS` for what no parse can have given.
 * @example
 * ```ts
 * formatAddress({ address: "ann@acme.test", name: "Smith, Ann" }); // "Smith, Ann" <ann@acme.test>
 * ```
 */
export function formatAddress(address: { readonly address: string; readonly name?: string }): string {
  const spec = readPlainSpec(address.address) ?? readSpec(address.address);
  const read = isProblem(spec) || !address.name ? spec : withName(spec, address.name);
  if (isProblem(read)) throw new MailfuseError({ ...read, where: "address" });
  return read.name === undefined ? read.address : `${writeName(read.name)} <${read.address}>`;
}

/** Walks one field and keeps what it finds. Places are spelled out only for refusals. */
class FieldReader {
  readonly addresses: Address[] = [];
  readonly problems: Refusal[] = [];
  readonly #where: string;
  readonly #form: AddressForm;
  readonly #key: AddressKey | undefined;
  readonly #path: number[] = [];

  constructor(where: string, form: AddressForm, key: AddressKey | undefined) {
    this.#where = where;
    this.#form = form;
    this.#key = key;
  }

  read(value: unknown, depth: number): void {
    if (typeof value === "string") this.#readText(value);
    else if (value === null || value === undefined) return;
    else if (Array.isArray(value)) this.#readArray(value, depth);
    else if (typeof value === "object") this.#keep(readObject(value, this.#key), "");
    else this.#keep(problem.notText(typeName(value)), "");
  }

  #readArray(values: readonly unknown[], depth: number): void {
    if (depth >= maxDepth) return void this.#keep(problem.tooDeep, "");
    for (let i = 0; i < values.length && this.problems.length < maxProblems; i++) {
      this.#path.push(i);
      this.read(values[i], depth + 1);
      this.#path.pop();
    }
  }

  #readText(text: string): void {
    const plain = readPlain(text);
    if (plain) this.addresses.push(plain);
    else if (this.#form === "single") this.#keep(readMailbox(text, false), "");
    else readList(text, (read, position) => this.#keep(read, ` (address ${position} of the list)`));
  }

  #keep(read: Address | Problem, suffix: string): boolean {
    if (!isProblem(read)) {
      this.addresses.push(read);
      return true;
    }
    this.problems.push({ ...read, where: `${this.#where}${this.#path.map((i) => `[${i}]`).join("")}${suffix}` });
    return this.problems.length < maxProblems;
  }
}

/** Objects hold exactly one address, alone: what is packed beside it would go out unseen. */
function readObject(value: object, key: AddressKey | undefined): Address | Problem {
  const own = (key: string): unknown =>
    Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
  const address = own("address") ?? undefined;
  const email = own("email") ?? undefined;
  const name = own("name") ?? "";
  if ((own("group") ?? undefined) !== undefined) return problem.groupObject;
  if (address !== undefined && email !== undefined && address !== email) return problem.twoKeys;
  const given = key === undefined ? (address ?? email) : own(key);
  if (given === undefined || given === null) return problem.noAddressKey(key);
  if (typeof given !== "string") return problem.notText(typeName(given));
  if (typeof name !== "string") return problem.nameNotText(typeName(name));
  const text = trimBlanks(given);
  const spec = text === "" ? problem.empty : (readPlainSpec(text) ?? readSpec(text));
  return isProblem(spec) ? spec : withName(spec, name);
}

function typeName(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
