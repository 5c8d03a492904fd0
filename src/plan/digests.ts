/**
 * The digest over who gets what.
 *
 * @module
 */
import { hash } from "node:crypto";

/**
 * A Merkle tree that grows by leaves in order and keeps one hash per level, so that a million
 * entries cost twenty hashes of memory. Leaves and nodes are hashed with different prefixes
 * (RFC 6962, section 2.1), so that no node can be passed off as a leaf.
 */
export class MerkleTree {
  readonly #levels: (string | undefined)[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(leaf: Uint8Array): void {
    let node = hash("sha256", Buffer.concat([leafPrefix, leaf]), "hex");
    this.#size++;
    for (let level = 0; ; level++) {
      const left = this.#levels[level];
      if (left === undefined) {
        this.#levels[level] = node;
        return;
      }
      this.#levels[level] = undefined;
      node = join(left, node);
    }
  }

  /** The root over the leaves so far, base64url; the digest of nothing when there are none. */
  root(): string {
    let root: string | undefined;
    for (const node of this.#levels) {
      if (node === undefined) continue;
      root = root === undefined ? node : join(node, root);
    }
    return root === undefined ? hash("sha256", "", "base64url") : Buffer.from(root, "hex").toString("base64url");
  }
}

const leafPrefix = Buffer.from([0]);
const nodePrefix = "01";

function join(left: string, right: string): string {
  return hash("sha256", Buffer.from(nodePrefix + left + right, "hex"), "hex");
}

/**
 * Who gets which text, whatever the order and however it was rendered: two plans of the same mails have
 * the same digest, though their roots differ (a Message-ID, a boundary, a date).
 */
export class MailSet {
  #sum = 0n;

  /** Adds one entry: its people by pseudonym, and the digest of each of its messages. */
  add(people: readonly string[], texts: readonly string[]): void {
    const one = hash("sha256", JSON.stringify([people, texts]), "hex");
    this.#sum = BigInt.asUintN(256, this.#sum + BigInt(`0x${one}`));
  }

  digest(): string {
    return Buffer.from(this.#sum.toString(16).padStart(64, "0"), "hex").toString("base64url");
  }
}
