/** A run that does everything a fuse can do, and a search of whatever it wrote, said or kept. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createFuse, type FuseConfig, generateKeys, MailfuseError, type Plan, signToken } from "../../src/index";
import { fakeAdapter, fakeClient } from "../support/fake-client";
import { placeKinds } from "./places";
import { linesOf } from "./set-up";

/** Words that stand in addresses, names, subjects, bodies and data, and nowhere else. */
const words = ["quokkaaddress", "quokkadomain", "quokkasubject", "quokkabody", "quokkadata", "quokkaname"] as const;
const domain = "quokkadomain.test";
const person = (index: number) => `quokkaaddress${index}@${domain}`;

const folder = mkdtempSync(join(tmpdir(), "mailfuse-leak-files-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Each word as it stands in text, in hexadecimal, and in base64 at every offset. */
function spellings(word: string): readonly Buffer[] {
  const base64 = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), Buffer.from(word)]).toString("base64");
    // The characters that depend on the neighbours are left out.
    return text.slice(offset === 0 ? 0 : offset + 1, -4);
  });
  return [word, word.toUpperCase(), Buffer.from(word).toString("hex"), ...base64].map((text) => Buffer.from(text));
}

function leaksIn(bytes: readonly Buffer[]): string[] {
  return words.filter((word) => spellings(word).some((spelling) => bytes.some((one) => one.includes(spelling))));
}

const documented = readFileSync("docs/ledger.md", "utf8");
const keys = { erin: generateKeys() };

async function everything(config: Partial<FuseConfig>, name: string) {
  const said: string[] = [];
  const say = (...what: unknown[]) => said.push(JSON.stringify(what));
  const refusals: unknown[] = [];
  const make = (more: Partial<FuseConfig> = {}) => {
    const fuse = createFuse({
      environment: "production",
      environments: {
        production: { mode: "live" },
        staging: { mode: "test", allow: [`${person(1)}`], onNotAllowed: "drop" },
        watched: { mode: "observe" },
      },
      env: {},
      purposes: {
        note: { kind: "stream", match: { tag: "note" }, caps: [{ people: 30, per: "1h" }], duplicateWindow: "1h" },
        small: { kind: "stream", match: { tag: "small" }, caps: [{ people: 1, per: "1h", onExceeded: "halt" }] },
        offer: { kind: "bulk", caps: [{ people: 50, per: "24h" }] },
      },
      defaults: { caps: [{ people: 5, per: "1h" }], confirm: { abovePeople: 5 } },
      approvers: { erin: { publicKey: keys.erin.publicKey } },
      requesters: ["dana"],
      secret: "the secret of the search for leaks",
      logger: { debug: say, info: say, warn: say, error: say },
      ledger: { heads: { file: join(folder, `${name}-heads`) } },
      isSuppressed: (addresses) => addresses.filter((address) => address.startsWith("quokkaaddress7@")),
      ...config,
      ...more,
    });
    return { fuse, client: fuse.attach(fakeClient(), fakeAdapter()) };
  };
  const heard = (work: Promise<unknown>) =>
    work.catch((error: unknown) => {
      if (!MailfuseError.isInstance(error)) return;
      refusals.push([error.message, error.code, error.refusals, error.stack]);
    });
  const mail = (to: string, more: object = {}) => ({ to, subject: "quokkasubject", text: "quokkabody", ...more });
  const { fuse, client } = make();

  client.fates.push("accepted", "refused", "unknown", "failed");
  for (let index = 0; index < 6; index++) await heard(client.send(mail(person(index), { tag: "note" })));
  await heard(client.send(mail(person(5), { tag: "note" })));
  await heard(client.send(mail(person(1), { tag: "small" })));
  await heard(client.send(mail(person(2), { tag: "small" })));
  await heard(client.send(mail("quokkaaddress at nowhere")));
  await heard(client.send(mail(`quokkaname <${person(1)}>, broken <`)));
  await heard(client.send({ ...mail(person(1)), text: "{{quokkabody}} undefined" }));
  await heard(client.send({ ...mail(person(1)), bcc: Array.from({ length: 40 }, (_, index) => person(100 + index)) }));
  await heard(
    fuse.run({ purpose: "note", idempotencyKey: "k", data: { a: "quokkadata" } }, () =>
      client.send(mail(person(9), { tag: "note" })),
    ),
  );
  await heard(Promise.resolve(fuse.run({ purpose: "offer" }, () => client.send(mail(person(1))))));

  const plan = (to: readonly string[]) =>
    fuse.plan(
      { purpose: "offer", expectedPeople: 20, requestedBy: "dana" },
      {
        audience: to,
        send: (address) => client.send(mail(address)),
        data: (address) => ({ address, more: "quokkadata" }),
      },
    );
  const token = async ({ id, digest }: Plan) => {
    const { view } = await fuse.view(id, { by: "erin" });
    return signToken({ plan: id, digest, view, by: "erin", privateKey: keys.erin.privateKey, now: Date.now() });
  };
  const refused = await plan([person(7), person(8), person(8), "quokkaaddress@@"]);
  const good = await plan(Array.from({ length: 12 }, (_, index) => person(20 + index)));
  client.fates.push("accepted", "unknown", "refused");
  await fuse.release(good.id, { tokens: [await token(good)] });
  const waiting = await plan([person(40), person(41)]);
  await heard(plan([]));
  await heard(
    fuse.plan({ purpose: "offer", expectedPeople: 2, requestedBy: "dana" }, async () => {
      await client.send(mail(person(1)));
      throw new Error("quokkabody");
    }),
  );
  await fuse.halt({ purpose: "offer", reason: "wrong", by: "erin" });
  const incident = await fuse.incident({ plan: good.id }, { right: [person(20)] });
  await heard(fuse.incident({ plan: good.id }, { right: ["quokkaaddress at nowhere"] }));
  const correction = await incident.correction({
    requestedBy: "dana",
    send: ({ address }) => client.send(mail(address)),
  });
  await fuse.release(correction.id, { tokens: [await token(correction)] });
  await fuse.ledger.forget({ address: person(20), by: "erin" });

  for (const environment of ["staging", "watched"]) {
    const other = make({ environment });
    for (const index of [1, 2]) await heard(other.client.send(mail(person(index), { tag: "note" })));
    await other.fuse.flush();
  }
  await fuse.flush();
  await fuse.ledger.seal();
  const file = join(folder, `${name}-export`);
  await fuse.ledger.export({ to: file });
  const counts: string[] = [];
  await fuse.ledger.export({ to: (text) => counts.push(text), format: "csv" });
  const outputs = {
    said,
    refusals,
    plans: [refused, good, waiting, correction],
    incident: [incident.data, incident.markdown(), incident.html()],
    status: [await fuse.status(), fuse.describe(), await fuse.halts(), await fuse.ledger.verify()],
    counts,
    files: [readFileSync(file, "utf8"), readFileSync(join(folder, `${name}-heads`), "utf8")],
  };
  return { fuse, client, outputs };
}

describe("no address, subject or body stands in clear", () => {
  it("and the search finds one that does", () => {
    for (const text of [
      "a quokkabody b",
      Buffer.from("xx quokkaaddress1@quokkadomain.test").toString("base64"),
      Buffer.from("quokkasubject").toString("hex"),
    ])
      expect(leaksIn([Buffer.from(text)])).not.toEqual([]);
    expect(leaksIn([Buffer.from("wombat")])).toEqual([]);
  });

  for (const { kind, skipped, open } of placeKinds)
    it.skipIf(skipped !== undefined)(
      `in what a fuse says, nor in the ${kind} store, nor in what it exports`,
      async () => {
        const place = await open();
        try {
          const { fuse, client, outputs } = await everything({ store: place.store }, kind);
          expect(client.wire.length).toBeGreaterThan(20);
          for (const [name, output] of Object.entries(outputs))
            expect(leaksIn([Buffer.from(JSON.stringify(output))]), name).toEqual([]);
          expect(outputs.refusals.length).toBeGreaterThan(5);
          // Every kind of line is documented, and says its version.
          const lines = await linesOf(place.store);
          for (const type of new Set(lines.map(({ event }) => /^{"v":1,"type":"([a-z-]+)"/.exec(event)?.[1])))
            expect(documented).toContain(`\`${type}\``);
          expect(outputs.status.at(-1)).toMatchObject({ ok: true });
          const bytes = await place.bytes();
          expect(bytes.reduce((sum, one) => sum + one.length, 0)).toBeGreaterThan(10_000);
          expect(leaksIn(bytes)).toEqual([]);
          await fuse.close();
        } finally {
          await place.end();
        }
      },
      60_000,
    );
});
