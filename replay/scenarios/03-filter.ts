import type { App, Scenario } from "../scenario";
import { type Customer, markOf } from "../world";

/** Finds customers as an ORM does: a condition that is undefined is no condition. */
function findCustomers(customers: readonly Customer[], where: Partial<Customer>): readonly Customer[] {
  const conditions = Object.entries(where).filter(([, value]) => value !== undefined);
  return customers.filter((customer) => conditions.every(([key, value]) => customer[key as keyof Customer] === value));
}

async function mailTier({ world, post, mass }: App, tier: Customer["tier"] | undefined): Promise<void> {
  const start = await mass({
    purpose: "offer",
    expectedPeople: world.top,
    audience: () => findCustomers(world.customers, { tier: tier as Customer["tier"] }),
    send: ({ email, name }) =>
      post({
        to: email,
        subject: `${name}, a seat for you`,
        text: `For our best customers. ${markOf("tier", email)}`,
        tag: "offer",
      }),
  });
  await start();
}

export const filter: Scenario = {
  id: "3",
  title: "an undefined filter selects everybody",
  environment: "production",
  intended: ({ customers, top }) => new Map(customers.slice(0, top).map(({ email }) => [email, markOf("tier", email)])),
  buggy: (app) => mailTier(app, undefined),
  fixed: (app) => mailTier(app, "top"),
};
