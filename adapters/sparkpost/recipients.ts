/**
 * The people in a transmission, and who of them are shown to each other: those with a `header_to` get a copy
 * of somebody else's mail.
 *
 * @module
 */
import {
  asRecord,
  field,
  type Plain,
  place,
  type Recipient,
  type Refusal,
  readRecipients,
  type Shape,
  unknownFields,
} from "../../src/adapter";

const person: Shape = { address: true, return_path: true, tags: true, metadata: true, substitution_data: true };
const address: Shape = { email: true, name: true, header_to: true };

/** Somebody in `recipients`, with what their mail is filled with. */
export interface Reader {
  readonly recipient: Recipient;
  /** As it stands in the body. */
  readonly entry: Plain;
  /** Whom their mail shows in To instead of themselves. */
  readonly shows: readonly Recipient[];
}

/** People who get one mail, first of all whose data it is filled with. */
export interface Group {
  readonly recipients: readonly Recipient[];
  readonly entries: readonly Plain[];
}

/**
 * Each gets a mail of their own. Copies show whose mail they are of: with one person's, or with nothing personal in
 * any of them, they are one mail with it. Copies of several personal ones stay apart, and the first of them shows all.
 */
export function group(readers: readonly Reader[], people: ReadonlySet<string>): readonly Group[] {
  const plain = readers.filter(({ shows }) => shows.length === 0);
  const personal = readers.some(({ entry }) =>
    ["substitution_data", "metadata"].some((key) => Object.keys(asRecord(field(entry, key)) ?? {}).length > 0),
  );
  if (plain.length < readers.length && (plain.length === 1 || !personal)) {
    const all = [...plain, ...readers.filter(({ shows }) => shows.length > 0)];
    return [{ recipients: all.map(({ recipient }) => recipient), entries: all.map(({ entry }) => entry) }];
  }
  const seen = new Set<readonly Recipient[]>();
  return readers.map(({ recipient, entry, shows }) => {
    const others = seen.has(shows)
      ? []
      : shows.filter(({ person: who }) => people.has(who) && who !== recipient.person);
    seen.add(shows);
    return { recipients: [...others, recipient], entries: [entry] };
  });
}

const nobody: readonly Recipient[] = [];

/** Reads entries of `recipients`; `cc` are those whom a header shows as getting an open copy. */
export function personReader(cc: ReadonlySet<string>, problems: Refusal[]) {
  // One text stands with everybody who gets a copy, and is read once.
  const texts = new Map<string, readonly Recipient[]>();
  const shownBy = (text: Plain, where: string): readonly Recipient[] => {
    if (text === undefined || text === null || text === "") return nobody;
    if (typeof text !== "string") {
      problems.push({ ...notText, where });
      return nobody;
    }
    const found = texts.get(text) ?? readRecipients(text, "to", where, "list", problems);
    texts.set(text, found);
    return found;
  };
  return (entry: Plain, where: string): Reader[] => {
    problems.push(...unknownFields(entry, person, where));
    const given = field(entry, "address");
    const to = place(where, "address");
    if (typeof given !== "string") problems.push(...unknownFields(given, address, to));
    const name = field(given, "name");
    const read =
      typeof given === "string"
        ? given
        : { email: field(given, "email"), ...(typeof name === "string" && name.trim() !== "" ? { name } : {}) };
    // It is shown, and gets nothing by that.
    const visible = shownBy(field(given, "header_to"), place(to, "header_to"));
    return readRecipients(read, "to", to, "single", problems).map((recipient) => {
      const shows = visible.some((one) => one.person !== recipient.person) ? visible : nobody;
      const copy = shows.length > 0 && shows.every((one) => one.person !== recipient.person);
      return {
        recipient: { ...recipient, field: !copy ? "to" : cc.has(recipient.person) ? "cc" : "bcc" },
        entry,
        shows,
      };
    });
  };
}

const notText: Refusal = {
  code: "ADDRESS_INVALID",
  message: "Expected header_to as text, got another value.",
};
