/** Mails that come before the adapter is loaded: caught, copied, and kept back until it is. */
import { AsyncLocalStorage } from "node:async_hooks";
import nodemailer from "nodemailer";
import { afterEach, expect, test, vi } from "vitest";
import { nodemailerAdapter } from "../../adapters/nodemailer";
import type { Adapter, Call, Gate } from "../../src/adapter";
import { createFuse } from "../../src/index";
import { codeOf } from "../support/fake-client";

const sending = "../../adapters/nodemailer/sending";
const logger = { debug() {}, info() {}, warn() {}, error() {} };
const limits = { depth: 24, nodes: 1e6, bytes: 1e7 };

afterEach(() => vi.doUnmock(sending));

/** A transporter that keeps what its transport was handed. */
function keeping() {
  const wire: string[][] = [];
  const transport = {
    name: "keeps",
    version: "1",
    send(
      mail: { message: { getEnvelope(): { to: string[] } } },
      done: (error: null, info: { envelope: unknown }) => void,
    ) {
      const envelope = mail.message.getEnvelope();
      wire.push([...envelope.to]);
      done(null, { envelope });
    },
  };
  const transporter = nodemailer.createTransport(transport as never);
  const adapter = nodemailerAdapter() as unknown as Adapter<typeof transporter>;
  return { wire, transporter, adapter };
}

const mail = (to: unknown) => ({ from: "app@acme.test", to, subject: "s", text: "t" }) as never;

/** The adapter's files as they are while they cannot be read. */
function removeFiles() {
  vi.doMock(sending, () => {
    throw new Error("no such file");
  });
}

test("they pass in their order, in their contexts, and before later ones", async () => {
  const contexts = new AsyncLocalStorage<string>();
  const { transporter, adapter, wire } = keeping();
  const seen: unknown[] = [];
  const gate: Gate = {
    unattached: "refuse",
    limits,
    pass: <Result>(call: Call<Result>) => {
      seen.push(contexts.getStore());
      return call.deliver(async () => ({ reservation: "r" }));
    },
  };
  const attachment = adapter.attach(transporter, gate);
  const early = ["ann", "bob"].map((name) => contexts.run(name, () => transporter.sendMail(mail(`${name}@acme.test`))));
  expect(wire).toEqual([]);
  await attachment.ready?.();
  const late = contexts.run("carl", () => transporter.sendMail(mail("carl@acme.test")));
  await Promise.all([...early, late]);
  expect(seen).toEqual(["ann", "bob", "carl"]);
  expect(wire).toEqual([["ann@acme.test"], ["bob@acme.test"], ["carl@acme.test"]]);
});

test("whom they go to is read when they are sent, and not when the adapter is loaded", async () => {
  const { transporter, adapter, wire } = keeping();
  const fuse = createFuse({
    environment: "production",
    environments: { production: { mode: "live" } },
    defaults: { caps: [{ people: 9, per: "1h" }] },
    logger,
  });
  fuse.attach(transporter, adapter);
  const to = [{ name: "", address: "ann@acme.test" }];
  const cc = ["bob@acme.test"];
  const sent = transporter.sendMail({ ...(mail(to) as object), cc } as never);
  to[0] = { name: "", address: "mallory@acme.test" };
  cc.push("mallory@acme.test");
  await sent;
  expect(wire).toEqual([["ann@acme.test", "bob@acme.test"]]);
});

test.each(["live", "observe"] as const)(
  "what cannot be loaded lets nothing out, in %s mode, and is tried again",
  async (mode) => {
    removeFiles();
    const { transporter, adapter, wire } = keeping();
    const fuse = createFuse({
      environment: "production",
      environments: { production: { mode } },
      defaults: { caps: [{ people: 9, per: "1h" }] },
      logger,
    });
    fuse.attach(transporter, adapter);
    expect(await codeOf(transporter.sendMail(mail("ann@acme.test")))).toBe("INTERNAL");
    await expect(fuse.release("p_1")).rejects.toMatchObject({ code: "INTERNAL" });
    expect(wire).toEqual([]);
    vi.doUnmock(sending);
    // The files are back a moment after vitest was told so.
    await vi.waitFor(() => transporter.sendMail(mail("bob@acme.test")), 10_000);
    expect(wire).toEqual([["bob@acme.test"]]);
  },
);

test("a plan is not read through a client before its adapter is loaded", async () => {
  const { transporter, adapter } = keeping();
  const fuse = createFuse({ environments: {}, logger });
  let ready = false;
  let asked = false;
  const slow: typeof adapter = {
    ...adapter,
    attach(client, gate) {
      const attachment = adapter.attach(client, gate);
      return {
        ...attachment,
        async ready() {
          asked = true;
          await new Promise((resolve) => setTimeout(resolve, 20));
          ready = true;
        },
      };
    },
  };
  fuse.attach(transporter, slow, { account: "shop" });
  await expect(fuse.release("p_1")).rejects.toMatchObject({ code: "PLAN_NOT_FOUND" });
  expect([asked, ready]).toEqual([true, true]);
});
