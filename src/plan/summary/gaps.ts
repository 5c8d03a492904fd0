/**
 * Which fields of an item's data are empty: where a template has nothing to put in.
 *
 * @module
 */

/** How deep and how far data is looked at, and how many names are kept. */
const deepest = 5;
const mostFields = 500;
const mostNames = 10;

/** Names of empty fields: null, missing, or a text of blanks. */
export function emptyFields(data: unknown): readonly string[] {
  const names: string[] = [];
  let looked = 0;
  const look = (value: unknown, name: string, depth: number): void => {
    if (names.length >= mostNames || ++looked > mostFields) return;
    if (value === null || value === undefined || (typeof value === "string" && value.trim() === "")) {
      if (name !== "") names.push(name.slice(0, 60));
    } else if (typeof value === "object" && depth < deepest) {
      for (const [key, item] of Object.entries(value)) look(item, name === "" ? key : `${name}.${key}`, depth + 1);
    }
  };
  look(data, "", 0);
  return names;
}
