import { describe, expect, it } from "vitest";
import { memoryStore } from "../../src/index";
import { manualClock } from "../../src/testing/clock";
import { browser, makeWorld, refundPlan, tokenOf } from "./world";

/** Planning takes a while: the whole of it in `npm run ui-checks`. */
const many = process.env.MAILFUSE_UI_CHECKS ? 100_000 : 10_000;

async function released(made: ReturnType<typeof makeWorld>, people?: string[]) {
  const plan = await refundPlan(made, people);
  const tokens = [await tokenOf(made, plan.id, "erin"), await tokenOf(made, plan.id, "frank")];
  await made.fuse.release(plan.id, { tokens });
  await made.fuse.flush();
  return plan;
}

describe("incidents", () => {
  it("shows whom mail reached, and plans a correction to exactly the wrong ones, in the person's name", async () => {
    const made = makeWorld({
      incident: {
        right: (address) => address === "ben@acme.test",
        send: ({ address }) => made.client.send({ to: address, subject: "Sorry", text: "Please ignore our mail." }),
      },
    });
    const plan = await released(made);
    const erin = browser(made, "erin");
    const text = await (await erin.get(`/incidents/${plan.id}`)).text();
    const rows = Object.fromEntries(
      [...text.matchAll(/<th scope="row">([^<]*)<\/th><td>([^<]*)<\/td>/g)].map(([, name, value]) => [name, value]),
    );
    expect(rows).toMatchObject({
      reached: "2",
      "may have been reached": "0",
      "of these rightly": "1",
      "of these wrongly": "1",
    });
    expect(text).toContain('<svg class="chart"');
    expect(text).not.toContain("ann@acme.test");
    const report = await erin.get(`/incidents/${plan.id}/report`);
    expect(report.headers.get("content-security-policy")).toMatch(/^sandbox; default-src 'none'/);

    const fields = await erin.form(`/incidents/${plan.id}`, "correct");
    const answer = await erin.post(`/incidents/${plan.id}/correct`, fields);
    const id = /\/plans\/(p_[\w-]+)$/.exec(answer.headers.get("location") ?? "")?.[1] ?? "";
    expect(await made.fuse.findPlan(id)).toMatchObject({ state: "planned", terms: { people: 1, requester: "erin" } });
    const mails = await made.fuse.mails(id);
    expect(
      mails.flatMap(({ mails: some = [] }) =>
        some.flatMap(({ recipients }) => recipients.map(({ address }) => address)),
      ),
    ).toEqual(["ann@acme.test"]);
    expect(made.client.wire).toHaveLength(2);
    expect((await erin.post(`/incidents/${plan.id}/correct`, fields)).status).toBe(403);
  });

  it("knows no incident of a plan that is not there", async () => {
    expect((await browser(makeWorld(), "erin").get("/incidents/p_AAAAAAAAAAAA")).status).toBe(404);
  });
});

describe("the ledger", () => {
  it("is filtered by type and by what it mentions, and verified on demand", async () => {
    const made = makeWorld();
    const plan = await released(made);
    await made.fuse.halt({ purpose: "receipt", reason: "wrong list", by: "frank" });
    const erin = browser(made, "erin");
    const types = async (query: string) =>
      [...(await (await erin.get(`/ledger${query}`)).text()).matchAll(/<td><code>([\w-]+)<\/code><\/td>/g)].map(
        (match) => match[1],
      );
    expect(new Set(await types("?type=settled"))).toEqual(new Set(["settled"]));
    expect(await types("?type=halted")).toEqual(["halted"]);
    expect(await types(`?about=${plan.id}&type=release`)).toEqual(["release"]);
    expect(await types("?type=nothing")).toEqual([]);
    expect((await types("?after=0")).length).toBeGreaterThan(5);
    const page = await (await erin.get("/ledger")).text();
    expect(page).not.toContain("@acme.test");

    const answer = await erin.post("/ledger/verify", await erin.form("/ledger", "verify"));
    expect(await answer.text()).toContain("As it was written");
    for (let times = 0; times < 5; times++) await erin.post("/ledger/verify", await erin.form("/ledger", "verify"));
    expect((await erin.post("/ledger/verify", await erin.form("/ledger", "verify"))).status).toBe(429);
  });
});

it(`reads one page's entries of a plan of ${many.toLocaleString("en")}, and no more, wherever it is opened`, {
  timeout: 120_000,
}, async () => {
  const clock = manualClock();
  const store = memoryStore({ clock });
  const read: number[] = [];
  const counting = new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return async (...given: unknown[]) => {
        const answer: unknown = await Reflect.apply(value, target, given);
        if (name === "entries" && Array.isArray(answer)) read.push(answer.length);
        return answer;
      };
    },
  });
  const made = makeWorld({}, { store: counting });
  const plan = await refundPlan(
    made,
    Array.from({ length: many }, (_, index) => `p${index}@acme.test`),
  );
  const erin = browser(made, "erin");
  for (const from of [0, many / 2, many - 50]) {
    read.length = 0;
    const text = await (await erin.get(`/plans/${plan.id}/entries?from=${from}`)).text();
    expect(text).toContain(`p${from}@acme.test`);
    expect(text).toContain(`p${from + 49}@acme.test`);
    expect(read).toEqual([50]);
    expect(text.length).toBeLessThan(60_000);
  }
  read.length = 0;
  expect((await erin.get(`/plans/${plan.id}`)).status).toBe(200);
  expect(read).toEqual([]);
});
