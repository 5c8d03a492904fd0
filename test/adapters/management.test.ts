import { Resend } from "resend";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resendAdapter } from "../../adapters/resend";
import { memoryStore } from "../../src/index";
import { type Endpoint, startEndpoint } from "../support/endpoint";
import { liveFuse } from "../support/gates";

let endpoint: Endpoint;
beforeAll(async () => {
  endpoint = await startEndpoint(() => ({ body: { id: "x" } }));
});
afterAll(() => endpoint.close());

describe("a write that mails nobody", () => {
  it("passes while everything is halted, and is in the ledger without whom it is about; a read is not", async () => {
    const store = memoryStore();
    const fuse = liveFuse({ store });
    await fuse.halt({ reason: "wrong list", by: "dana" });
    const resend = fuse.attach(new Resend("re_x", { baseUrl: endpoint.url }), resendAdapter());
    await resend.suppressions.add({ email: "ann@acme.test" } as never);
    await resend.domains.list();
    expect(endpoint.arrived.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "POST /suppressions",
      "GET /domains",
    ]);
    await fuse.flush();
    const events = (await store.read(0, 100)).map(({ event }) => event);
    const managed = events.filter((event) => event.includes('"management"'));
    expect(managed).toHaveLength(1);
    expect(managed[0]).toContain("POST /suppressions");
    expect(managed[0]).toContain("resend");
    expect(events.join("\n")).not.toContain("ann@acme.test");
    expect(events.join("\n")).not.toContain("/domains");
  });
});
