/**
 * Sealed addresses in memory, as bounded as the ledger they stand beside.
 *
 * @module
 */
import type { SealedAddresses } from "../../store";

/** The sealed addresses of one store. */
export interface Addresses {
  keep(addresses: SealedAddresses): void;
  find(bucket: string, people: readonly string[]): readonly (string | undefined)[];
  buckets(): readonly string[];
  forget(what: { readonly bucket: string } | { readonly people: readonly string[] }): number;
}

/** Makes the addresses of one store; beyond `limit` the oldest go. */
export function memoryAddresses(limit: number): Addresses {
  const buckets = new Map<string, Map<string, string>>();
  let count = 0;

  function remove(bucket: string, person: string): boolean {
    const people = buckets.get(bucket);
    if (!people?.delete(person)) return false;
    count--;
    if (people.size === 0) buckets.delete(bucket);
    return true;
  }

  function dropOldest(): void {
    const [oldest] = buckets;
    if (!oldest) return;
    const [person] = oldest[1].keys();
    if (person !== undefined) remove(oldest[0], person);
  }

  return {
    keep({ bucket, sealed }) {
      if (sealed.length === 0) return;
      const people = buckets.get(bucket) ?? new Map<string, string>();
      buckets.set(bucket, people);
      for (const [person, text] of sealed) {
        if (people.has(person)) continue;
        people.set(person, text);
        count++;
      }
      while (count > limit) dropOldest();
    },
    find(bucket, people) {
      return people.map((person) => buckets.get(bucket)?.get(person));
    },
    buckets() {
      return [...buckets.keys()].sort();
    },
    forget(what) {
      if ("people" in what)
        return [...buckets.keys()].reduce(
          (gone, bucket) => gone + what.people.filter((person) => remove(bucket, person)).length,
          0,
        );
      const size = buckets.get(what.bucket)?.size ?? 0;
      buckets.delete(what.bucket);
      count -= size;
      return size;
    },
  };
}
