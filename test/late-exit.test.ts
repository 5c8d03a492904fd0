import { expect, test, vi } from "vitest";
import { createFuse, type FuseConfig } from "../src/index";
import { codeOf, fakeAdapter, fakeClient } from "./support/fake-client";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const live: FuseConfig = {
  environment: "production",
  environments: { production: { mode: "live" } },
  defaults: { caps: [{ people: 3, per: "1h" }] },
  logger: quiet,
};

/** Files that cannot be loaded, as after an update of the package under a process that goes on. */
function removeFiles() {
  vi.doMock("../src/sending", () => {
    throw new Error("no such file");
  });
  return () => vi.doUnmock("../src/sending");
}

test("mails that come before the exit is loaded wait for it, in their order, and are judged", async () => {
  const client = createFuse(live).attach(fakeClient(), fakeAdapter());
  const people = ["a", "b", "c", "d"].map((name) => `${name}@acme.test`);
  const sent = await Promise.all(people.map((to) => codeOf(client.send({ to }))));
  expect(sent.at(-1)).toBe("CAP_EXCEEDED");
  expect(client.wire.map(({ to }) => to)).toEqual(people.slice(0, 3));
});

test("an exit that cannot be loaded lets nothing out, and is tried again", async () => {
  const putBack = removeFiles();
  const fuse = createFuse(live);
  const client = fuse.attach(fakeClient(), fakeAdapter());
  expect(await codeOf(client.send({ to: "ann@acme.test" }))).toBe("INTERNAL");
  await expect(fuse.drill()).rejects.toMatchObject({ code: "INTERNAL" });
  expect(client.wire).toEqual([]);
  putBack();
  await client.send({ to: "ann@acme.test" });
  expect(client.wire.map(({ to }) => to)).toEqual(["ann@acme.test"]);
});

test("the context a mail is sent in is the caller's, although the exit comes later", async () => {
  const fuse = createFuse({ ...live, purposes: { receipt: { kind: "stream", caps: [{ people: 1, per: "1h" }] } } });
  const client = fuse.attach(fakeClient(), fakeAdapter());
  const receipt = (to: string) => fuse.run({ purpose: "receipt" }, () => codeOf(client.send({ to })));
  expect(await Promise.all([receipt("ann@acme.test"), receipt("bob@acme.test")])).toContain("CAP_EXCEEDED");
  await client.send({ to: "bob@acme.test" });
  expect(client.wire.map(({ to }) => to)).toEqual(["ann@acme.test", "bob@acme.test"]);
});

test("a memory store that cannot be loaded lets nothing out, and is tried again", async () => {
  vi.doMock("../src/stores/memory/store", () => {
    throw new Error("no such file");
  });
  const fuse = createFuse(live);
  const client = fuse.attach(fakeClient(), fakeAdapter());
  expect(await codeOf(client.send({ to: "ann@acme.test" }))).toBe("INTERNAL");
  await expect(fuse.halt({ reason: "wrong list", by: "dana" })).rejects.toThrow();
  expect(client.wire).toEqual([]);
  vi.doUnmock("../src/stores/memory/store");
  await client.send({ to: "ann@acme.test" });
  expect(client.wire.map(({ to }) => to)).toEqual(["ann@acme.test"]);
});
