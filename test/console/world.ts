/**
 * A console over a fuse whose client is the simplest there is: what reaches people is seen on its wire.
 */
import { type Actor, type ConsoleOptions, createConsole } from "../../src/console";
import { createFuse, type FuseConfig, generateKeys, memoryStore, signToken } from "../../src/index";
import { type ManualClock, manualClock } from "../../src/testing/clock";
import { fakeAdapter, fakeClient } from "../support/fake-client";

export const origin = "https://console.acme.test";
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

export interface Made {
  readonly fuse: ReturnType<typeof createFuse>;
  readonly client: ReturnType<typeof fakeClient>;
  readonly clock: ManualClock;
  readonly keys: Readonly<
    Record<"erin" | "frank" | "dana", { readonly privateKey: string; readonly publicKey: string }>
  >;
  readonly fetch: (request: Request) => Promise<Response>;
}

/** Logs in by a header that tests set. */
export function byHeader(request: Request): Actor | null {
  const id = request.headers.get("x-test-user");
  return id === null ? null : { id, roles: id === "vera" ? [] : ["crm"] };
}

export function makeWorld(options: Partial<ConsoleOptions> = {}, config: Partial<FuseConfig> = {}): Made {
  const clock = manualClock();
  const keys = { erin: generateKeys(), frank: generateKeys(), dana: generateKeys() };
  const fuse = createFuse({
    environment: "production",
    environments: { production: { mode: "live" } },
    purposes: {
      refund: { kind: "bulk", caps: [{ people: 500_000, per: "24h" }], confirm: { approvals: 2 }, maxVisible: 5 },
      receipt: { kind: "stream", match: { tag: "receipt" }, caps: [{ people: 2, per: "1h" }] },
    },
    defaults: { caps: [{ people: 100, per: "1h" }] },
    approvers: Object.fromEntries(Object.entries(keys).map(([name, { publicKey }]) => [name, { publicKey }])),
    store: memoryStore({ clock }),
    secret: "a secret of the console's tests",
    clock,
    logger: quiet,
    ...config,
  });
  const client = fuse.attach(fakeClient(), fakeAdapter());
  const console = createConsole({ fuse, authorize: byHeader, origin, clock, ...options });
  return { fuse, client, clock, keys, fetch: console.fetch };
}

/** A plan asked for by dana. */
export async function refundPlan(
  made: Pick<Made, "fuse" | "client">,
  people = ["ann@acme.test", "ben@acme.test"],
  mail: { subject?: string; text?: string } = {},
) {
  return made.fuse.plan(
    { purpose: "refund", expectedPeople: people.length, requestedBy: "dana" },
    {
      audience: people,
      send: (to) =>
        made.client.send({
          to,
          subject: mail.subject ?? "Your refund",
          text: mail.text ?? `Dear ${to}, it is on its way.`,
        }),
    },
  );
}

/** What an approver's own command line would print. */
export async function tokenOf({ fuse, keys, clock }: Made, id: string, by: "erin" | "frank" | "dana"): Promise<string> {
  const { plan, view } = await fuse.view(id, { by });
  return signToken({ plan: id, digest: plan.digest, view, by, privateKey: keys[by].privateKey, now: clock.now() });
}

/** A browser, as far as headers go. */
export function browser({ fetch }: Pick<Made, "fetch">, user: string | undefined, base = "") {
  const headers = (more: Record<string, string> = {}) => ({
    ...(user === undefined ? {} : { "x-test-user": user }),
    ...more,
  });
  const get = (path: string) => fetch(new Request(`${origin}${base}${path}`, { headers: headers() }));
  const post = (path: string, fields: Readonly<Record<string, string>>, more: Record<string, string> = {}) =>
    fetch(
      new Request(`${origin}${base}${path}`, {
        method: "POST",
        body: new URLSearchParams(fields),
        headers: headers({ origin, "sec-fetch-site": "same-origin", ...more }),
      }),
    );
  return { get, post, form: async (path: string, action: string) => formOf(await (await get(path)).text(), action) };
}

/** The hidden fields of the form that does `action`. */
export function formOf(page: string, action: string): Record<string, string> {
  const form = new RegExp(`<form method="post" action="[^"]*" class="${action}">([\\s\\S]*?)</form>`).exec(page)?.[1];
  if (form === undefined) throw new Error(`no form "${action}" in the page`);
  return Object.fromEntries(
    [...form.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)].map(([, name, value]) => [name, value]),
  );
}
