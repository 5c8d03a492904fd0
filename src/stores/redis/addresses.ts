/**
 * Sealed addresses in Redis.
 *
 * @module
 */
import type { SealedAddresses, Store } from "../../store";
import { nonsense, type Server, text, whole } from "./client";
import { addressBuckets, addresses, dropPart, fillPart, forgetBucket, forgetPeople } from "./lua-addresses";

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

/** Addresses of a large call, on the server before it, where nobody reads them. */
export class StagedAddresses {
  readonly #server: Server;
  readonly #name: string;
  #new = 0;

  private constructor(server: Server, name: string) {
    this.#server = server;
    this.#name = name;
  }

  /** @throws `STORE_UNAVAILABLE`; what was staged goes by itself */
  static async begin(server: Server, nonce: string, addresses: SealedAddresses): Promise<StagedAddresses> {
    const staged = new StagedAddresses(server, `as:${nonce}`);
    for (const some of steps(addresses.sealed)) {
      const [, held] = await server.write(fillPart, [staged.#name, addresses.bucket], some.flat());
      staged.#new = whole(held);
    }
    return staged;
  }

  /** Names what the call takes in; `undefined` where the bucket knows everybody. */
  get name(): string | undefined {
    return this.#new > 0 ? this.#name : undefined;
  }

  async drop(): Promise<void> {
    await this.#server.write(dropPart, [this.#name]);
  }
}

function* steps<Item>(people: readonly Item[]): Generator<readonly Item[]> {
  for (let from = 0; from < people.length; from += step) yield people.slice(from, from + step);
}
