import type { App, Scenario } from "../scenario";
import { markOf, type World } from "../world";

const some = ({ customers }: World) => customers.slice(0, Math.min(1_000, customers.length));

/** Merges addresses with the rows of a sheet. An empty row shifts everything below it. */
async function mailBalances({ world, post, mass }: App, emptyRow: boolean): Promise<void> {
  const addresses = some(world).map((customer) => customer.email);
  const rows = addresses.map((email) => ({ email, text: `Your balance. ${markOf("balance", email)}` }));
  if (emptyRow) rows.splice(Math.floor(rows.length / 2), 1);
  const merged = addresses.flatMap((to, index) => (rows[index] ? [{ to, row: rows[index] }] : []));
  const start = await mass({
    purpose: "statement",
    expectedPeople: addresses.length,
    audience: () => merged,
    send: ({ to, row }) => post({ to, subject: "Your statement", text: row.text }),
    data: ({ row }) => ({ email: row.email }),
  });
  await start();
}

export const merge: Scenario = {
  id: "6",
  title: "a mail merge out of step: one's balance goes to another",
  environment: "production",
  intended: (world) => new Map(some(world).map(({ email }) => [email, markOf("balance", email)])),
  buggy: (app) => mailBalances(app, true),
  fixed: (app) => mailBalances(app, false),
};
