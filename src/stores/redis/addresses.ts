/**
 * Sealed addresses in Redis.
 *
 * @module
 */
import type { Store } from "../../store";
import { nonsense, type Server, text, whole } from "./client";
import { addressBuckets, addresses, forgetBucket, forgetPeople } from "./lua-addresses";

/** How many people one step asks for: a script's arguments are unpacked onto Lua's stack. */
const step = 1_000;

/** The methods of the store that read and destroy addresses. They are written by `reserve`. */
export function addressesOn(server: Server): Pick<Store, "addresses" | "addressBuckets" | "forgetAddresses"> {
  return {
    async addresses(bucket, people) {
      const all: (string | undefined)[] = [];
      for (const some of steps(people)) {
        const [, ...found] = await server.read(addresses, [bucket, ...some]);
        if (found.length !== some.length) throw nonsense();
        for (const sealed of found) all.push(sealed === null ? undefined : text(sealed));
      }
      return all;
    },
    async addressBuckets() {
      const [, ...buckets] = await server.read(addressBuckets, []);
      return buckets.map(text).sort();
    },
    async forgetAddresses(what) {
      if ("bucket" in what) return whole((await server.write(forgetBucket, [], [what.bucket]))[1]);
      let gone = 0;
      for (const some of steps(what.people)) gone += whole((await server.write(forgetPeople, [], some))[1]);
      return gone;
    },
  };
}

function* steps(people: readonly string[]): Generator<readonly string[]> {
  for (let from = 0; from < people.length; from += step) yield people.slice(from, from + step);
}
