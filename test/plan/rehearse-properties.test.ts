/** Random audiences and jobs: what is planned and released is what the job would have sent without a fuse. */
import fc from "fast-check";
import nodemailer, { type SendMailOptions } from "nodemailer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nodemailerAdapter } from "../../adapters/nodemailer";
import { type MailServer, startMailServer } from "../adapters/nodemailer-world";
import { codeOf } from "../support/fake-client";
import { setUp } from "./release-set-up";

const purposes = {
  offer: {
    kind: "bulk" as const,
    caps: [{ people: 1_000, per: "24h" as const }],
    // What the mails say is drawn at random: what the lint thinks of it is not the question here.
    content: {
      placeholders: "off",
      missingValues: "off",
      blanks: "off",
      empty: "off",
      fixtures: "off",
      stagingLinks: "off",
    } as const,
    maxVisible: 10,
  },
};
const request = { purpose: "offer", expectedPeople: 1_000, requestedBy: "dana" };

let server: MailServer;
beforeAll(async () => {
  server = await startMailServer();
});
afterAll(() => server.close());

const name = fc
  .string({ unit: "grapheme", maxLength: 12 })
  .map((text) => text.replace(/[\p{C}<>"@,;:\\()[\]]/gu, "").trim());
const words = fc.string({ unit: "grapheme", maxLength: 120 }).map((text) => text.replace(/\p{Cs}|\p{Cc}/gu, " "));
/** Two names that no copy takes; tests of their own say so. */
const data = fc.jsonValue({ maxDepth: 2 }).filter((value) => !/"(?:__proto__|toString)":/.test(JSON.stringify(value)));
const mail = fc.record({
  name,
  subject: words.map((text) => text.replace(/\s+/g, " ").trim()),
  text: words,
  html: fc.option(words, { nil: undefined }),
  copies: fc.array(fc.constantFrom("cc", "bcc"), { maxLength: 2 }),
  data: fc.option(data, { nil: undefined }),
});
type Drawn = Parameters<Parameters<typeof mail.map>[0]>[0];

function optionsOf(one: Drawn, index: number): SendMailOptions {
  const copies = (field: string) =>
    one.copies.flatMap((which, place) => (which === field ? [`c${index}-${place}@copies.test`] : []));
  return {
    from: "offers@sender.test",
    to: one.name === "" ? `p${index}@acme.test` : { name: one.name, address: `p${index}@acme.test` },
    cc: copies("cc"),
    bcc: copies("bcc"),
    subject: one.subject,
    ...(one.html === undefined ? { text: one.text } : { html: one.html }),
    messageId: `<${index}@sender.test>`,
    date: new Date(0),
  };
}

/** What arrived, one text for each mail, in no order. */
const taken = () =>
  server.mails
    .splice(0)
    .map(({ from, to, raw }) => JSON.stringify([from, [...to].sort(), raw]))
    .sort();

describe("a plan of any audience and any mails", () => {
  it("delivers the envelopes and bytes that its job would have sent, and nothing before", async () => {
    const bare = nodemailer.createTransport({ host: "127.0.0.1", port: server.port, pool: true });
    let planned = 0;
    try {
      await fc.assert(
        fc.asyncProperty(
          fc.array(mail, { minLength: 1, maxLength: 6 }),
          fc.integer({ min: 1, max: 3 }),
          fc.boolean(),
          async (mails, concurrency, plain) => {
            await Promise.all(mails.map((one, index) => bare.sendMail(optionsOf(one, index))));
            const without = taken();
            const all = setUp({ purposes });
            const transporter = nodemailer.createTransport({ host: "127.0.0.1", port: server.port, pool: true });
            all.fuse.attach(transporter, nodemailerAdapter());
            try {
              const send = (one: Drawn) => transporter.sendMail(optionsOf(one, mails.indexOf(one)));
              const plan = plain
                ? await all.fuse.plan(request, async () => {
                    for (const one of mails) await send(one);
                  })
                : await all.fuse.plan({ ...request, concurrency }, { audience: mails, send, data: ({ data }) => data });
              expect(taken()).toEqual([]);
              const people = mails.reduce((sum, { copies }) => sum + 1 + copies.length, 0);
              if (plan.state === "planned") {
                planned++;
                expect(plan.terms).toMatchObject({ entries: mails.length, people });
                await all.fuse.release(plan.id, { tokens: [await all.token(plan, "erin")] });
                expect(taken()).toEqual(without);
              } else {
                expect(await codeOf(all.fuse.release(plan.id))).toBe("PLAN_STATE");
                expect(taken()).toEqual([]);
              }
            } finally {
              transporter.close();
              await all.fuse.close();
            }
          },
        ),
        { numRuns: 25 },
      );
    } finally {
      bare.close();
    }
    expect(planned).toBeGreaterThan(15);
  }, 120_000);

  it("is the same however often its planning dies on the way, and however many lanes it has", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 700 }),
        fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 3 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 3 }),
        async (count, deaths, concurrency, each) => {
          const all = setUp({ purposes: { offer: { kind: "bulk", caps: [{ people: 10_000, per: "24h" }] } } });
          const items = Array.from({ length: count }, (_, index) => index);
          const toOf = (item: number, place: number) => `p${item}-${place}@acme.test`;
          const form = (audience: Iterable<number>) => ({
            audience,
            send: async (item: number) => {
              for (let place = 0; place < (item % each) + 1; place++)
                await all.client.send({ to: toOf(item, place), text: `for ${item}` });
            },
            data: (item: number) => ({ item }),
          });
          const asked = { ...request, expectedPeople: 10_000, concurrency };
          for (const death of deaths) {
            const [left] = await all.fuse.plans();
            const dying = (function* () {
              for (const item of items) {
                if (item >= death) throw new Error("dies");
                yield item;
              }
            })();
            const resume = left?.state === "rehearsing" ? { resume: left.id } : {};
            const came = await codeOf(all.fuse.plan({ ...asked, ...resume }, form(dying)));
            if (death >= count) break;
            expect(came).toMatch(/^PLAN_(?:JOB_FAILED|CHANGED)$/);
          }
          const [left] = await all.fuse.plans();
          const resume = left?.state === "rehearsing" ? { resume: left.id } : {};
          const plan = await all.fuse.plan({ ...asked, ...resume }, form(items));
          const wanted = items.flatMap((item) =>
            Array.from({ length: (item % each) + 1 }, (_, place) => toOf(item, place)),
          );
          expect(plan).toMatchObject({ state: "planned", terms: { people: wanted.length, entries: wanted.length } });
          const addressed = new Map<number, string>();
          for (let from = 0; from < wanted.length; from += 200)
            for (const { index, mails } of await all.fuse.mails(plan.id, { from, limit: 200 }))
              addressed.set(index, String(mails?.[0]?.recipients[0]?.address));
          const told: [string | undefined, unknown][] = [];
          await all.fuse.release(plan.id, {
            tokens: [await all.token(plan, "erin")],
            onDelivered: ({ index, data }) => void told.push([addressed.get(index), data]),
          });
          expect(told).toHaveLength(wanted.length);
          for (const [address, data] of told) expect(address).toContain(`p${(data as { item: number }).item}-`);
          expect(all.client.wire.map(({ to }) => String(to)).sort()).toEqual(wanted.sort());
        },
      ),
      { numRuns: 8 },
    );
  }, 120_000);
});
