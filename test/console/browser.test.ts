import { mkdirSync } from "node:fs";
import path from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { BrowserWorld, browserPath, type TestMail, violations } from "./browser-world";

/** The page's own world, as far as it is looked at from here. */
interface PageElement {
  value: string;
  action: string;
  readonly textContent: string | null;
  readonly scrollWidth: number;
  readonly clientWidth: number;
  readonly elements: Readonly<Record<string, { value: string }>>;
  getAttribute(name: string): string | null;
}
declare const document: {
  readonly activeElement: PageElement | null;
  readonly documentElement: PageElement;
  querySelector(selector: string): PageElement | null;
};

// A browser on a busy machine takes its time; nothing here is measured.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const images = path.resolve(import.meta.dirname, "../../docs/images");
const people = ["ann@acme.test", "ben@acme.test", "cleo@other.example"];
const mails: readonly TestMail[] = people.map((to) => ({ to }));

describe.skipIf(browserPath === undefined)("the console in Chromium", () => {
  const world = new BrowserWorld();
  beforeAll(async () => {
    await world.start();
  });
  afterAll(() => world.close());
  beforeEach(() => {
    world.received.length = 0;
    world.gate = Promise.resolve();
  });

  const heading = (page: Page) => page.locator("h1").textContent();

  it("review and confirm with two people and their passkeys; the release reaches exactly those shown", async () => {
    const erin = await world.withPasskey("erin");
    const frank = await world.withPasskey("frank");
    world.make({ erin: [erin.passkey], frank: [frank.passkey] });
    const plan = await world.plan(mails);
    for (const { page } of [erin, frank]) {
      await page.goto(`/plans/${plan.id}`);
      expect(await heading(page)).toBe("3 refund");
      expect(await page.locator("main").textContent()).toContain("other.example");
      const form = page.locator("form.passkey");
      await form.getByLabel("Type 3 refund").fill("3 refund");
      await form.getByRole("button", { name: "Confirm with a passkey" }).click();
      await page.waitForURL(/done=confirmed/);
      expect(world.received).toEqual([]);
    }
    expect(await world.fuse.findPlan(plan.id)).toMatchObject({ state: "confirmed", approvals: ["erin", "frank"] });
    await world.fuse.release(plan.id);
    expect([...world.received].sort()).toEqual([...people].sort());
    await erin.context.close();
    await frank.context.close();
  });

  it("a passkey signs one plan as shown: claims that were changed on the page are refused", async () => {
    const erin = await world.withPasskey("erin");
    world.make({ erin: [erin.passkey] });
    const [shown, other] = [await world.plan(mails), await world.plan([{ to: "zoe@acme.test" }])];
    const { page } = erin;
    const seen = await world.fuse.view(other.id, { by: "erin" });
    // Signed for what was shown, then handed in for another plan.
    await page.goto(`/plans/${shown.id}`);
    await page.evaluate(
      ([id, digest, view]) => {
        const field = document.querySelector("form.passkey")!.elements.claims!;
        field.value = JSON.stringify({ ...(JSON.parse(field.value) as object), plan: id, digest, view });
      },
      [other.id, other.digest, seen.view] as const,
    );
    await page.locator("form.passkey").getByLabel("Type 3 refund").fill("3 refund");
    await page.getByRole("button", { name: "Confirm with a passkey" }).click();
    await page.waitForSelector("text=TOKEN_INVALID");
    expect((await world.fuse.findPlan(shown.id)).approvals).toEqual([]);
    expect((await world.fuse.findPlan(other.id)).approvals).toEqual([]);
    await erin.context.close();
  });

  it("a passkey of somebody who is not declared with it counts for nothing", async () => {
    const erin = await world.withPasskey("erin");
    world.make({});
    const plan = await world.plan(mails);
    await erin.page.goto(`/plans/${plan.id}`);
    await erin.page.locator("form.passkey").getByLabel("Type 3 refund").fill("3 refund");
    await erin.page.getByRole("button", { name: "Confirm with a passkey" }).click();
    await erin.page.waitForSelector("text=TOKEN_INVALID");
    expect((await world.fuse.findPlan(plan.id)).approvals).toEqual([]);
    await erin.context.close();
  });

  it("refuses the requester, also when posting directly with their own passkey", async () => {
    const dana = await world.withPasskey("dana");
    world.make({ dana: [dana.passkey] });
    const plan = await world.plan(mails);
    const { page } = dana;
    await page.goto(`/plans/${plan.id}`);
    expect(await page.locator("form.passkey, form.confirm").count()).toBe(0);
    const status = await page.evaluate(async (id) => {
      const token = document.querySelector("form.reject [name=token]")!.value;
      const body = new URLSearchParams({ token, phrase: "3 refund", claims: "{}", answer: "{}", confirmation: "x" });
      const answers = [
        fetch(`/plans/${id}/passkey`, { method: "POST", body }),
        fetch(`/plans/${id}/confirm`, { method: "POST", body }),
      ];
      return (await Promise.all(answers)).map((answer) => answer.status);
    }, plan.id);
    expect(status).toEqual([403, 403]);
    expect((await world.fuse.findPlan(plan.id)).approvals).toEqual([]);
    await dana.context.close();
  });

  it("refuses a tampered form", async () => {
    world.make();
    const [shown, other] = [await world.plan(mails), await world.plan(mails)];
    const { page, context } = await world.person("erin");
    await page.goto(`/plans/${shown.id}`);
    await page.evaluate((id) => {
      document.querySelector("form.reject")!.action = `/plans/${id}/reject`;
    }, other.id);
    await page.locator("form.reject").getByLabel(/^Why/).fill("wrong list");
    await page.getByRole("button", { name: "Reject" }).click();
    expect(await heading(page)).toBe("Not as it was shown");
    expect((await world.fuse.findPlan(other.id)).state).toBe("planned");
    await context.close();
  });

  it("refuses a post from another site's page, with the person's cookies", async () => {
    world.make();
    const plan = await world.plan(mails);
    const { page, context } = await world.person("erin");
    await page.goto(`/plans/${plan.id}`);
    const token = await page.locator("form.reject [name=token]").inputValue();
    const evil = await world.elsewhere(
      `<form method="post" action="${world.origin}/plans/${plan.id}/reject"><input name="token" value="${token}"><input name="reason" value="x"></form><script>document.forms[0].submit()</script>`,
    );
    await page.goto(evil.url);
    await page.waitForURL(/\/reject$/);
    expect(await heading(page)).toBe("Not from this console");
    expect((await world.fuse.findPlan(plan.id)).state).toBe("planned");
    evil.close();
    await context.close();
  });

  it("refuses a form that is sent a second time", async () => {
    world.make();
    const { page, context } = await world.person("erin");
    await page.goto("/");
    const token = await page.locator("form.halt [name=token]").inputValue();
    await page.locator("form.halt").getByLabel(/^Why/).fill("wrong list");
    await page.getByRole("button", { name: "Halt now" }).click();
    await page.waitForURL(/done=halted/);
    await world.fuse.resume({ by: "frank" });
    const status = await page.evaluate(
      async (again) =>
        (
          await fetch("/halt", {
            method: "POST",
            body: new URLSearchParams({ token: again, reason: "x", purpose: "" }),
          })
        ).status,
      token,
    );
    expect(status).toBe(403);
    expect(await world.fuse.halts()).toEqual([]);
    await context.close();
  });

  it("does nothing once the login is over", async () => {
    world.make();
    const plan = await world.plan(mails);
    const { page, context } = await world.person("erin");
    await page.goto(`/plans/${plan.id}`);
    await context.clearCookies();
    await page.locator("form.reject").getByLabel(/^Why/).fill("wrong list");
    await page.getByRole("button", { name: "Reject" }).click();
    expect(await heading(page)).toBe("Log in first");
    expect((await world.fuse.findPlan(plan.id)).state).toBe("planned");
    await context.close();
  });

  it("is not shown in another site's frame", async () => {
    world.make();
    const { page, context } = await world.person("erin");
    const evil = await world.elsewhere(`<iframe src="${world.origin}/"></iframe>`);
    await page.goto(evil.url, { waitUntil: "load" });
    const [, frame] = page.frames();
    expect(await frame?.locator("form").count()).toBe(0);
    evil.close();
    await context.close();
  });

  it("runs, loads and posts nothing that a mail brings along", async () => {
    world.make();
    const asked: string[] = [];
    const evil = "https://evil.example";
    const html = `<p>Hello</p><script>top.document.title="owned";fetch("${evil}/fetch")</script><img src="${evil}/pixel" onerror="parent.location='${evil}/error'">
<meta http-equiv="refresh" content="0;url=${evil}/refresh"><base href="${evil}/"><link rel="stylesheet" href="${evil}/style.css"><style>@import url(${evil}/import.css);p{background:url(${evil}/background)}</style>
<form action="${evil}/form" method="post"><button>Confirm</button></form><svg onload="top.location='${evil}/svg'"></svg><iframe src="${evil}/frame"></iframe><a id="out" href="${evil}/link" target="_top">out</a>`;
    const plan = await world.plan([
      { to: "ann@acme.test", subject: `<img src=x onerror="document.title='owned'">`, html },
    ]);
    const { page, context } = await world.person("erin");
    await context.route(/evil\.example/, (route) => {
      asked.push(route.request().url());
      return route.abort();
    });
    await page.goto(`/plans/${plan.id}/entries/0`, { waitUntil: "networkidle" });
    expect(await page.frames()[1]?.locator("p").textContent()).toBe("Hello");
    await page
      .frames()[1]
      ?.locator("#out")
      .click()
      .catch(() => {});
    await page
      .frames()[1]
      ?.locator("button")
      .click({ timeout: 2_000 })
      .catch(() => {});
    await page.goto(`/plans/${plan.id}`, { waitUntil: "networkidle" });
    expect(asked).toEqual([]);
    expect(await page.title()).toBe("LIVE · 1 refund · mailfuse");
    expect(page.url()).toBe(`${world.origin}/plans/${plan.id}`);
    await context.close();
  });

  it("shows a release as it goes, and stops it from the page", async () => {
    world.make(
      {},
      {
        purposes: { refund: { kind: "bulk", caps: [{ people: 500, per: "24h" }], confirm: { approvals: 1 } } },
        approvers: { erin: { publicKey: (await keys()).publicKey } },
        requesters: ["dana"],
      },
    );
    const plan = await world.plan(Array.from({ length: 40 }, (_, index) => ({ to: `p${index}@acme.test` })));
    const { page, context } = await world.person("erin");
    let open: () => void = () => {};
    world.gate = new Promise((resolve) => {
      open = resolve;
    });
    const seen = await world.fuse.view(plan.id, { by: "erin" });
    const { signToken } = await import("../../src/index");
    const token = await signToken({
      plan: plan.id,
      digest: plan.digest,
      view: seen.view,
      by: "erin",
      privateKey: (await keys()).privateKey,
      now: Date.now(),
    });
    const released = world.fuse.release(plan.id, { tokens: [token], concurrency: 2 });
    await page.goto(`/plans/${plan.id}/progress`);
    await page.waitForSelector("text=releasing");
    await page.locator("form.halt").getByLabel(/^Why/).fill("wrong list");
    await page.getByRole("button", { name: "Halt this purpose now" }).click();
    await page.waitForURL(/done=halted/);
    open();
    await released.catch(() => {});
    expect(world.received.length).toBeLessThanOrEqual(2);
    await page.goto(`/plans/${plan.id}/progress`);
    const accepted = page.locator("tbody [data-count=accepted]");
    expect(await accepted.textContent()).toBe(String(world.received.length));
    await world.fuse.resume({ purpose: "refund", by: "erin" });
    await context.close();
  });

  it("moves the counts by itself while a release goes on", async () => {
    const { privateKey, publicKey } = await keys();
    world.make(
      {},
      {
        purposes: { refund: { kind: "bulk", caps: [{ people: 500, per: "24h" }], confirm: { approvals: 1 } } },
        approvers: { erin: { publicKey } },
        requesters: ["dana"],
      },
    );
    const plan = await world.plan(mails);
    let open: () => void = () => {};
    world.gate = new Promise((resolve) => {
      open = resolve;
    });
    const { signToken } = await import("../../src/index");
    const { view } = await world.fuse.view(plan.id, { by: "erin" });
    const released = world.fuse.release(plan.id, {
      tokens: [await signToken({ plan: plan.id, digest: plan.digest, view, by: "erin", privateKey, now: Date.now() })],
    });
    const { page, context } = await world.person("erin");
    await page.goto(`/plans/${plan.id}/progress`);
    await page.waitForFunction(() => document.querySelector("[data-count=state]")?.textContent === "releasing");
    open();
    await released;
    await page.waitForFunction(() => document.querySelector("tbody [data-count=accepted]")?.textContent === "3");
    await context.close();
  });

  it("works without the browser's script", async () => {
    world.make();
    const plan = await world.plan(mails);
    const { page, context } = await world.person("erin", { javaScriptEnabled: false });
    await page.goto(`/plans/${plan.id}`);
    expect(await page.locator("form.passkey").isVisible()).toBe(false);
    await page.locator("form.reject").getByLabel(/^Why/).fill("wrong list");
    await page.getByRole("button", { name: "Reject" }).click();
    await page.waitForURL(/done=rejected/);
    expect((await world.fuse.findPlan(plan.id)).state).toBe("rejected");
    await context.close();
  });

  it("is used by keyboard alone", async () => {
    world.make();
    const { page, context } = await world.person("erin");
    await page.goto("/");
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("To the content");
    for (let presses = 0; presses < 40; presses++) {
      await page.keyboard.press("Tab");
      if (await page.evaluate(() => document.activeElement?.getAttribute("name") === "reason")) break;
    }
    await page.keyboard.type("wrong list");
    await page.keyboard.press("Enter");
    await page.waitForURL(/done=halted/);
    expect(await world.fuse.halts()).toMatchObject([{ scope: "*", by: "erin", reason: "wrong list" }]);
    await context.close();
  });

  describe("axe finds nothing", () => {
    const looks = [
      { name: "light", options: { colorScheme: "light" } },
      { name: "dark", options: { colorScheme: "dark" } },
      { name: "phone", options: { colorScheme: "light", viewport: { width: 390, height: 844 } } },
    ] as const;
    for (const mode of ["live", "test"] as const) {
      for (const { name, options } of looks) {
        it(`${mode}, ${name}: every page`, async () => {
          world.make(
            {},
            mode === "live"
              ? {}
              : {
                  environment: "staging",
                  environments: { staging: { mode: "test", allow: ["*@acme.test", "*@other.example"] } },
                },
          );
          await world.mailer.sendMail({
            from: "shop@acme.test",
            to: "ann@acme.test",
            subject: "Reset your password",
            text: "Here is how.",
          });
          await world.mailer
            .sendMail({ from: "shop@acme.test", to: ["ann@", "no"], subject: "Reset", text: "x" })
            .catch(() => {});
          await world.fuse.halt({ purpose: "password-reset", reason: "wrong list", by: "frank" });
          const plan = await world.plan(
            [...mails, { to: "dan@acme.test", text: "Dear undefined," }].slice(0, mode === "live" ? 3 : 4),
          );
          const refused = await world.plan([
            ...mails,
            { to: "dan@acme.test", text: "Dear {{name}}," },
            { to: "everyone@acme.test" },
          ]);
          const { page, context } = await world.person("erin", options);
          const seen: Record<string, readonly string[]> = {};
          const pages = [
            "/",
            "/plans",
            `/plans/${plan.id}`,
            `/plans/${refused.id}`,
            `/plans/${plan.id}/entries`,
            `/plans/${plan.id}/entries/0`,
            `/plans/${plan.id}/progress`,
            "/incidents",
            `/incidents/${plan.id}`,
            "/ledger",
            "/passkey",
            "/nothing",
          ];
          for (const at of pages) {
            const answer = await page.goto(at, { waitUntil: "load" });
            expect([at, answer?.status()]).toEqual([at, at === "/nothing" ? 404 : 200]);
            seen[at] = await violations(page);
            // Nothing sticks out to the side, on the smallest screen either.
            const over = await page.evaluate(
              () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
            );
            expect([at, over]).toEqual([at, 0]);
          }
          await context.clearCookies();
          await page.goto("/");
          seen.login = await violations(page);
          expect(seen).toEqual(Object.fromEntries(Object.keys(seen).map((at) => [at, []])));
          await context.close();
          if (process.env.MAILFUSE_IMAGES) await shoot(mode, name, options, plan.id);
        });
      }
    }
  });

  /** Pictures for the papers, taken by `npm run ui-checks -- --images`. */
  async function shoot(
    mode: string,
    look: string,
    options: Parameters<BrowserWorld["person"]>[1],
    id: string,
  ): Promise<void> {
    mkdirSync(images, { recursive: true });
    const { page, context } = await world.person("erin", { viewport: { width: 1200, height: 800 }, ...options });
    await page.goto("/");
    await page.screenshot({ path: path.join(images, `overview-${mode}-${look}.png`) });
    await page.goto(`/plans/${id}`, { waitUntil: "networkidle" });
    await page.screenshot({ path: path.join(images, `plan-${mode}-${look}.png`) });
    await context.close();
  }
});

let made: Promise<{ readonly privateKey: string; readonly publicKey: string }> | undefined;
function keys() {
  made ??= import("../../src/index").then(({ generateKeys }) => generateKeys());
  return made;
}
