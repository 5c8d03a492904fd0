import { describe, expect, it } from "vitest";
import { createConsole } from "../../src/console";
import { browser, byHeader, formOf, makeWorld, origin, refundPlan, tokenOf } from "./world";

/** The sentence of a problem's page. */
async function problem(answer: Response): Promise<string> {
  return `${answer.status} ${/<h1>(.*?)<\/h1>/.exec(await answer.text())?.[1]}`;
}

describe("createConsole", () => {
  it("is not made without authorize, nor with a path or origin that is none", () => {
    const { fuse } = makeWorld();
    expect(() => createConsole({ fuse } as never)).toThrow("authorize");
    for (const path of ["mail", "/mail/", "//mail", "/..", "/a/../b", "/a b"])
      expect(() => createConsole({ fuse, authorize: byHeader, path }), path).toThrow("path");
    expect(() => createConsole({ fuse, authorize: byHeader, origin: "https://acme.test/x" })).toThrow("origin");
    expect(() => createConsole({ fuse, authorize: byHeader, secret: "short" })).toThrow("secret");
  });

  it("shows nothing to nobody: not the mode, not whether a plan exists", async () => {
    const made = makeWorld();
    const plan = await refundPlan(made);
    const nobody = browser(made, undefined);
    const there = await nobody.get(`/plans/${plan.id}`);
    const notThere = await nobody.get("/plans/p_AAAAAAAAAAAA");
    expect([there.status, notThere.status]).toEqual([401, 401]);
    const text = await there.text();
    expect(text).toBe(await notThere.text());
    expect(text).not.toMatch(/LIVE|production|refund/);
  });

  it("takes an authorize that throws, or answers something else, as nobody", async () => {
    for (const authorize of [
      () => ({}) as never,
      () => ({ id: "", roles: [] }),
      () => undefined as never,
      () => ({ id: "x" }) as never,
    ])
      expect((await browser(makeWorld({ authorize }), "erin").get("/")).status).toBe(401);
    const throws = makeWorld({
      authorize: () => {
        throw new Error("the session store is down: redis://secret@host");
      },
    });
    const answer = await browser(throws, "erin").get("/");
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain("redis");
  });

  it("binds the browser on every page", async () => {
    const made = makeWorld();
    const plan = await refundPlan(made);
    for (const path of [
      "/",
      "/plans",
      `/plans/${plan.id}`,
      `/plans/${plan.id}/entries`,
      `/plans/${plan.id}/progress`,
      "/incidents",
      "/ledger",
      "/nothing",
    ]) {
      const { headers } = await browser(made, "erin").get(path);
      expect(headers.get("content-security-policy"), path).toContain("default-src 'none'");
      expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
      expect(headers.get("content-security-policy")).not.toContain("unsafe");
      expect([
        headers.get("x-frame-options"),
        headers.get("cache-control"),
        headers.get("referrer-policy"),
        headers.get("x-content-type-options"),
      ]).toEqual(["DENY", "no-store", "same-origin", "nosniff"]);
    }
  });

  it("says the mode in words, and otherwise for live than for test", async () => {
    const live = await (await browser(makeWorld(), "erin").get("/")).text();
    const test = await (
      await browser(
        makeWorld({}, { environment: "staging", environments: { staging: { mode: "test", allow: [] } } }),
        "erin",
      ).get("/")
    ).text();
    expect(live).toContain('<html lang="en" class="live">');
    expect(live).toMatch(/<title>LIVE · /);
    expect(test).toContain('<html lang="en" class="test">');
    expect(test).toMatch(/<title>TEST · /);
  });
});

describe("deciding", () => {
  it("records two people's own signed confirmations, and the release reaches exactly those shown", async () => {
    const made = makeWorld();
    const plan = await refundPlan(made);
    for (const by of ["erin", "frank"] as const) {
      const at = browser(made, by);
      const answer = await at.post(`/plans/${plan.id}/confirm`, {
        ...(await at.form(`/plans/${plan.id}`, "confirm")),
        confirmation: await tokenOf(made, plan.id, by),
        phrase: "2 refund",
      });
      expect([answer.status, answer.headers.get("location")]).toEqual([303, `/plans/${plan.id}?done=confirmed`]);
      expect(made.client.wire).toEqual([]);
    }
    expect((await made.fuse.findPlan(plan.id)).state).toBe("confirmed");
    await made.fuse.release(plan.id);
    expect(made.client.wire.map(({ to }) => to).sort()).toEqual(["ann@acme.test", "ben@acme.test"]);
  });

  it("refuses the requester, also when the form is posted directly", async () => {
    const made = makeWorld();
    const plan = await refundPlan(made);
    const dana = browser(made, "dana");
    const page = await (await dana.get(`/plans/${plan.id}`)).text();
    expect(page).toContain("another approver has to confirm");
    expect(() => formOf(page, "confirm")).toThrow("no form");
    // With the token of another of her forms, and with a signature that is truly hers.
    const { token = "" } = formOf(page, "reject");
    const answer = await dana.post(`/plans/${plan.id}/confirm`, {
      token,
      confirmation: await tokenOf(made, plan.id, "dana"),
      phrase: "2 refund",
    });
    expect(await problem(answer)).toBe("403 Not as it was shown");
    // With a form that erin was shown.
    const erins = await browser(made, "erin").form(`/plans/${plan.id}`, "confirm");
    const again = await dana.post(`/plans/${plan.id}/confirm`, {
      ...erins,
      confirmation: await tokenOf(made, plan.id, "dana"),
      phrase: "2 refund",
    });
    expect(await problem(again)).toBe("403 Not as it was shown");
    expect((await made.fuse.findPlan(plan.id)).approvals).toEqual([]);
  });

  it("refuses the requester's token in another person's hands", async () => {
    const made = makeWorld();
    const plan = await refundPlan(made);
    const erin = browser(made, "erin");
    const fields = async () => ({ ...(await erin.form(`/plans/${plan.id}`, "confirm")), phrase: "2 refund" });
    const danas = await tokenOf(made, plan.id, "dana");
    expect(
      await problem(await erin.post(`/plans/${plan.id}/confirm`, { ...(await fields()), confirmation: danas })),
    ).toBe("422 Not your confirmation");
    // Renamed to erin, the signature no longer holds: the fuse says so.
    const [head, payload = "", signature] = danas.split(".");
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as object;
    const forged = [
      head,
      Buffer.from(JSON.stringify({ ...claims, iss: "erin" })).toString("base64url"),
      signature,
    ].join(".");
    expect(
      await problem(await erin.post(`/plans/${plan.id}/confirm`, { ...(await fields()), confirmation: forged })),
    ).toBe("409 Refused");
    expect((await made.fuse.findPlan(plan.id)).approvals).toEqual([]);
  });

  it("takes no form of another plan, person, action or page, none twice, and none that lay too long", async () => {
    const made = makeWorld();
    const [one, two] = [await refundPlan(made), await refundPlan(made)];
    const erin = browser(made, "erin");
    const form = await erin.form(`/plans/${one.id}`, "reject");
    const why = { reason: "wrong list" };
    expect(await problem(await erin.post(`/plans/${two.id}/reject`, { ...form, ...why }))).toBe(
      "403 Not as it was shown",
    );
    expect(await problem(await browser(made, "frank").post(`/plans/${one.id}/reject`, { ...form, ...why }))).toBe(
      "403 Not as it was shown",
    );
    expect(await problem(await erin.post(`/plans/${one.id}/revoke`, { ...form, ...why }))).toBe(
      "403 Not as it was shown",
    );
    const { token = "" } = form;
    for (const tampered of [
      `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`,
      token.replace(/\.\d+\./, ".99999999999999."),
      "",
      `${token}x`,
    ])
      expect(await problem(await erin.post(`/plans/${one.id}/reject`, { ...form, ...why, token: tampered }))).toBe(
        "403 Not as it was shown",
      );
    expect(await problem(await erin.post(`/plans/${one.id}/reject`, { ...form, reason: "  " }))).toBe("422 Say why");
    expect(await problem(await erin.post(`/plans/${one.id}/reject`, { ...form, ...why }))).toBe("403 Sent already");
    const late = await erin.form(`/plans/${one.id}`, "reject");
    made.clock.advance(31 * 60_000);
    expect(await problem(await erin.post(`/plans/${one.id}/reject`, { ...late, ...why }))).toBe("403 Too late");
    expect((await made.fuse.findPlan(one.id)).state).toBe("planned");
    const good = await erin.post(`/plans/${one.id}/reject`, {
      ...(await erin.form(`/plans/${one.id}`, "reject")),
      ...why,
    });
    expect(good.status).toBe(303);
    expect((await made.fuse.findPlan(one.id)).state).toBe("rejected");
  });

  it("takes a form only from a page of its own origin", async () => {
    const made = makeWorld();
    const plan = await refundPlan(made);
    const erin = browser(made, "erin");
    const fields = { ...(await erin.form(`/plans/${plan.id}`, "reject")), reason: "wrong list" };
    const crossSite: Record<string, string>[] = [
      { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
      { origin: "https://evil.acme.test", "sec-fetch-site": "same-site" },
      { origin: "null", "sec-fetch-site": "same-origin" },
      { origin: `${origin}.evil.example`, "sec-fetch-site": "same-origin" },
      { origin: origin.replace("https", "http"), "sec-fetch-site": "same-origin" },
      { origin, "sec-fetch-site": "none" },
      { origin, "sec-fetch-site": "Same-Origin" },
    ];
    for (const headers of crossSite) {
      const answer = await erin.post(`/plans/${plan.id}/reject`, fields, headers);
      expect([headers, await problem(answer)]).toEqual([headers, "403 Not from this console"]);
    }
    const bare = new Request(`${origin}/plans/${plan.id}/reject`, {
      method: "POST",
      body: new URLSearchParams(fields),
      headers: { "x-test-user": "erin" },
    });
    expect(await problem(await made.fetch(bare))).toBe("403 Not from this console");
    expect((await made.fuse.findPlan(plan.id)).state).toBe("planned");
  });

  it("does nothing for a login that is over", async () => {
    let loggedIn = true;
    const made = makeWorld({ authorize: (request) => (loggedIn ? byHeader(request) : null) });
    const plan = await refundPlan(made);
    const erin = browser(made, "erin");
    const fields = { ...(await erin.form(`/plans/${plan.id}`, "reject")), reason: "wrong list" };
    loggedIn = false;
    expect(await problem(await erin.post(`/plans/${plan.id}/reject`, fields))).toBe("401 Log in first");
    expect((await made.fuse.findPlan(plan.id)).state).toBe("planned");
  });

  it("lets somebody without a role look and nothing else", async () => {
    const made = makeWorld();
    const plan = await refundPlan(made);
    const vera = browser(made, "vera");
    expect(() => formOf("", "x")).toThrow();
    const page = await (await vera.get(`/plans/${plan.id}`)).text();
    expect(page).not.toContain('class="reject"');
    const halt = await vera.form("/", "halt");
    expect(await problem(await vera.post("/halt", { ...halt, reason: "x", purpose: "" }))).toBe("403 You may look");
    expect(await made.fuse.halts()).toEqual([]);
  });

  it("stops guessing after a few tries in a minute, whatever they say", async () => {
    const made = makeWorld();
    const plan = await refundPlan(made);
    const erin = browser(made, "erin");
    const statuses: number[] = [];
    for (let tries = 0; tries < 7; tries++)
      statuses.push(
        (await erin.post(`/plans/${plan.id}/confirm`, { token: "x", confirmation: "x", phrase: "x" })).status,
      );
    expect(statuses).toEqual([403, 403, 403, 403, 403, 429, 429]);
    made.clock.advance(61_000);
    expect((await erin.post(`/plans/${plan.id}/confirm`, { token: "x" })).status).toBe(403);
  });

  it("changes nothing by a link: no GET has an effect, and confirmations are posted only", async () => {
    const made = makeWorld();
    const plan = await refundPlan(made);
    const erin = browser(made, "erin");
    const token = await tokenOf(made, plan.id, "erin");
    for (const action of ["confirm", "reject", "revoke", "exclude", "proceed"])
      expect(
        (await erin.get(`/plans/${plan.id}/${action}?token=x&confirmation=${token}&phrase=2+refund&reason=x`)).status,
      ).toBe(404);
    for (const path of ["/halt?reason=x", "/resume?scope=*", "/ledger/verify"])
      expect((await erin.get(path)).status).toBe(404);
    expect(await made.fuse.findPlan(plan.id)).toMatchObject({ state: "planned", approvals: [] });
    expect(await made.fuse.halts()).toEqual([]);
  });

  it("halts and resumes, in the person's name", async () => {
    const made = makeWorld();
    const erin = browser(made, "erin");
    expect(
      (await erin.post("/halt", { ...(await erin.form("/", "halt")), purpose: "refund", reason: "wrong list" })).status,
    ).toBe(303);
    expect(await made.fuse.halts()).toMatchObject([{ scope: "purpose:refund", by: "erin", reason: "wrong list" }]);
    const resume = await erin.form("/", "resume");
    expect(await problem(await erin.post("/resume", { ...resume, scope: "*" }))).toBe("403 Not as it was shown");
    expect((await erin.post("/resume", resume)).status).toBe(303);
    expect(await made.fuse.halts()).toEqual([]);
  });

  it("makes another plan without refused entries", async () => {
    const made = makeWorld({}, { isSuppressed: () => ["ben@acme.test"] });
    const plan = await refundPlan(made);
    expect(plan.state).toBe("refused");
    const erin = browser(made, "erin");
    const answer = await erin.post(`/plans/${plan.id}/exclude`, await erin.form(`/plans/${plan.id}`, "exclude"));
    const next = /\/plans\/(p_[\w-]+)/.exec(answer.headers.get("location") ?? "")?.[1] ?? "";
    expect(await made.fuse.findPlan(next)).toMatchObject({
      state: "planned",
      phrase: "1 refund",
      excluded: { by: "erin", entries: 1 },
    });
  });
});

describe("hostile texts", () => {
  const attack = `"><script>alert(1)</script><img src=x onerror=alert(2)>'`;

  it("escapes subject, display name, body, purpose's reasons and plan metadata everywhere", async () => {
    const made = makeWorld();
    const plan = await made.fuse.plan(
      { purpose: "refund", expectedPeople: 1, requestedBy: "dana" },
      {
        audience: [1],
        send: () =>
          made.client.send({
            to: `"<script>alert(3)</script>" <ann@acme.test>`,
            subject: `${attack}\u202e`,
            text: attack,
          }),
      },
    );
    await made.fuse.halt({ purpose: "receipt", reason: attack, by: attack });
    const erin = browser(made, "erin");
    for (const path of [
      "/",
      "/plans",
      `/plans/${plan.id}`,
      `/plans/${plan.id}/entries`,
      `/plans/${plan.id}/entries/0`,
      `/plans/${plan.id}/progress`,
      "/incidents",
      "/ledger",
      `/ledger?type=${encodeURIComponent(attack)}&about=${encodeURIComponent(attack)}`,
      `/plans/${plan.id}?done=${encodeURIComponent(attack)}`,
    ]) {
      const text = await (await erin.get(path)).text();
      expect(text, path).not.toMatch(/<script>|<img/);
      expect(text, path).not.toContain("\u202e");
    }
    const noted = await (await browser(made, attack).get("/")).text();
    expect(noted).not.toMatch(/<script>|<img/);
  });

  it("shows a mail as a document of no origin that runs, loads and posts nothing", async () => {
    const made = makeWorld();
    const plan = await refundPlan(made);
    const answer = await browser(made, "erin").get(`/plans/${plan.id}/entries/0/mails/0`);
    const policy = answer.headers.get("content-security-policy") ?? "";
    expect(policy).toMatch(/^sandbox; default-src 'none'/);
    expect(policy).not.toContain("https:");
    expect(policy).not.toContain("allow-");
    const opted = await browser(made, "erin").get(`/plans/${plan.id}/entries/0/mails/0?images=1`);
    expect(opted.headers.get("content-security-policy")).toContain("img-src https: data:");
    const page = await (await browser(made, "erin").get(`/plans/${plan.id}/entries/0`)).text();
    expect(page).toMatch(/<iframe sandbox="" /);
  });
});

describe("addresses", () => {
  it("counts its prefix in whole segments, and redirects nowhere else", async () => {
    const made = makeWorld({ path: "/mail" });
    const at = browser(made, "erin");
    expect((await at.get("/mail/")).status).toBe(200);
    expect((await at.get("/mail")).headers.get("location")).toBe("/mail/");
    for (const path of [
      "/",
      "/mailbox/",
      "/mai",
      "/MAIL/",
      "/mail//evil.example",
      "/mail/../mail/x",
      "//evil.example/mail/",
      "/mail/plans/..%2f..",
      "/mail/%2e%2e/plans",
    ])
      expect([path, (await at.get(path)).status]).toEqual([path, 404]);
    const page = await (await at.get("/mail/")).text();
    expect(
      [...page.matchAll(/(?:href|action|src)="([^"]*)"/g)]
        .map((match) => match[1])
        .filter((link) => !link?.startsWith("/mail/") && link !== "#main"),
    ).toEqual([]);
  });

  it("follows no address that a form or a link names", async () => {
    const made = makeWorld();
    const erin = browser(made, "erin");
    const answer = await erin.post("/halt?next=https://evil.example", {
      ...(await erin.form("/", "halt")),
      purpose: "",
      reason: "x",
      next: "https://evil.example",
      return_to: "//evil.example",
    });
    expect(answer.headers.get("location")).toBe("/?done=halted");
  });

  it("answers for its own host only, where its origin is given", async () => {
    const made = makeWorld();
    const answer = await made.fetch(new Request("https://rebound.example/", { headers: { "x-test-user": "erin" } }));
    expect(answer.status).toBe(421);
    expect(await answer.text()).not.toContain("LIVE");
  });

  it("reads no body beyond its bound, whether its length is given or not", async () => {
    const made = makeWorld();
    const erin = browser(made, "erin");
    expect((await erin.post("/halt", { reason: "x".repeat(70_000) })).status).toBe(413);
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent++;
        controller.enqueue(new Uint8Array(16_384).fill(97));
      },
    });
    const request = new Request(`${origin}/halt`, {
      method: "POST",
      body: endless,
      duplex: "half",
      headers: {
        "x-test-user": "erin",
        origin,
        "sec-fetch-site": "same-origin",
        "content-type": "application/x-www-form-urlencoded",
      },
    } as RequestInit);
    expect((await made.fetch(request)).status).toBe(413);
    expect(sent).toBeLessThan(10);
    const json = new Request(`${origin}/halt`, {
      method: "POST",
      body: "{}",
      headers: { "x-test-user": "erin", origin, "sec-fetch-site": "same-origin", "content-type": "application/json" },
    });
    expect((await made.fetch(json)).status).toBe(415);
  });

  it("pages through a plan entry by entry, from any place", async () => {
    const made = makeWorld();
    const people = Array.from({ length: 120 }, (_, index) => `p${index}@acme.test`);
    const plan = await refundPlan(made, people);
    const erin = browser(made, "erin");
    const seen: string[] = [];
    for (let path: string | undefined = `/plans/${plan.id}/entries`; path; ) {
      const text: string = await (await erin.get(path)).text();
      seen.push(...[...text.matchAll(/(p\d+@acme\.test)/g)].map((match) => match[1] as string));
      path = /<a href="([^"]*)">Later<\/a>/.exec(text)?.[1];
    }
    expect(seen).toEqual(people);
    for (const from of ["-1", "99999", "x", "1e9"])
      expect((await erin.get(`/plans/${plan.id}/entries?from=${from}`)).status).toBe(200);
    expect((await erin.get(`/plans/${plan.id}/entries/120`)).status).toBe(404);
  });
});
