import type { App, Scenario } from "../scenario";
import { markOf, type World } from "../world";

/** Applicants as the export has them, in columns: address, admitted, waiting list. */
function applicants({ customers, records }: World): readonly (readonly [string, boolean, boolean])[] {
  const admitted = customers.filter(({ email }) => records.admitted.has(email));
  const others = customers.filter(({ email }) => !records.admitted.has(email)).slice(0, admitted.length);
  return [
    ...admitted.map(({ email }) => [email, true, false] as const),
    ...others.map(({ email }) => [email, false, true] as const),
  ];
}

async function welcome({ world, post, mass }: App, column: 1 | 2): Promise<void> {
  const start = await mass({
    purpose: "admission",
    expectedPeople: world.records.admitted.size,
    audience: () =>
      applicants(world)
        .filter((row) => row[column])
        .map(([email]) => email),
    send: (to) => post({ to, subject: "Welcome to our university", text: `You are in. ${markOf("admission", to)}` }),
    data: (email) => ({ email }),
  });
  await start();
}

export const admission: Scenario = {
  id: "5",
  title: "the right number of the wrong people",
  environment: "production",
  intended: ({ records }) => new Map([...records.admitted].map((to) => [to, markOf("admission", to)])),
  // The flag is read from the neighbouring column.
  buggy: (app) => welcome(app, 2),
  fixed: (app) => welcome(app, 1),
};
