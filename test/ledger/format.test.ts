import { createHash, createPublicKey, verify } from "node:crypto";
import { expect, it } from "vitest";
import { linesOf, setUp } from "./set-up";

/** What `docs/ledger.md` tells an auditor, and nothing of mailfuse's own. */
const sha256 = (text: string) => createHash("sha256").update(text, "utf8").digest().toString("base64url");
const canonical = (value: object) => JSON.stringify(Object.fromEntries(Object.entries(value).sort()));

it("seals lines as the documentation says, so that an auditor can check them with a program of their own", async () => {
  const all = setUp({ ledger: { sealEvery: "10s" } });
  for (const name of ["ann", "bob", "zoë"]) await all.client.send({ to: `${name}@acme.test`, tag: "note" });
  await all.fuse.flush();
  await all.fuse.ledger.seal();
  await all.client.send({ to: "cid@acme.test", tag: "note" });
  await all.fuse.flush();
  await all.fuse.ledger.seal();
  const keys = await all.fuse.ledger.publicKeys();
  const lines = await linesOf(all.store);

  let chain = sha256("mailfuse ledger 2");
  let upto = 0;
  let heads = 0;
  const leaves = new Map(lines.map(({ seq, at, event }) => [seq, sha256(`${seq}\n${at}\n${event}`)]));
  for (const { event } of lines) {
    if (!event.includes('"type":"sealed"')) continue;
    heads++;
    const { signature, ...said } = JSON.parse(event);
    expect(said).toMatchObject({ from: upto, prev: chain });
    const its = Array.from(
      { length: said.upto - said.from },
      (_, index) => leaves.get(said.from + 1 + index) as string,
    );
    for (const leaf of its) chain = sha256(chain + leaf);
    upto = said.upto;
    expect(said).toMatchObject({
      hash: chain,
      lines: its.length,
      checks: its.map((leaf) => leaf.slice(0, 4)).join(""),
    });
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: keys[said.kid] ?? "" }, format: "jwk" });
    expect(verify(null, Buffer.from(canonical(said)), key, Buffer.from(signature, "base64url"))).toBe(true);
  }
  expect(heads).toBe(2);
  expect(upto).toBe(lines.length - 1);
});
