import type { Scenario } from "../scenario";
import { markOf, type World } from "../world";

const surging = ({ customers }: World) =>
  customers.slice(0, Math.min(2_000, Math.floor(customers.length / 2))).map((customer) => customer.email);
const invited = ({ customers, top }: World) =>
  customers.slice(0, Math.min(top * 10, customers.length)).map((customer) => customer.email);

/** A real surge of password resets, one by one as people ask. */
export const surge: Scenario = {
  id: "14a",
  title: "control: a surge of password resets",
  environment: "production",
  intended: (world) => new Map(surging(world).map((to) => [to, markOf("reset", to)])),
  fixed: async ({ world, post }) => {
    const people = surging(world);
    const lane = async (from: number) => {
      for (let index = from; index < people.length; index += 20) {
        const to = people[index] as string;
        await post({
          to,
          subject: "Reset your password",
          text: `Follow the link. ${markOf("reset", to)}`,
          tag: "password-reset",
        });
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, index) => lane(index)));
  },
};

/** A real campaign, ten times the usual one, properly planned and confirmed. */
export const bigCampaign: Scenario = {
  id: "14b",
  title: "control: a confirmed campaign ten times the usual size",
  environment: "production",
  intended: (world) => new Map(invited(world).map((to) => [to, markOf("ten", to)])),
  fixed: async ({ world, post, mass }) => {
    const start = await mass({
      purpose: "offer",
      expectedPeople: invited(world).length,
      audience: () => invited(world),
      send: (to) =>
        post({ to, subject: "Ten times the offers", text: `All of them. ${markOf("ten", to)}`, tag: "offer" }),
    });
    await start();
  },
};

/** A refund run in which some entries are bogus: after review the others must still get theirs. */
export const reviewedRefund: Scenario = {
  id: "14c",
  title: "control: a refund run with some bogus entries, reviewed",
  environment: "production",
  intended: ({ records }) => new Map([...records.refunds.keys()].map((to) => [to, markOf("partly", to)])),
  fixed: async ({ world, post, mass }) => {
    const due = [...world.records.refunds.keys()];
    const bogus = world.customers.filter(({ email }) => !world.records.refunds.has(email)).slice(0, 37);
    const listed = [...due, ...bogus.map((customer) => customer.email)];
    const start = await mass({
      purpose: "refund",
      expectedPeople: listed.length,
      audience: () => listed,
      send: (to) => post({ to, subject: "Your refund", text: `It is on its way. ${markOf("partly", to)}` }),
      data: (email) => ({ email }),
      reviewed: true,
    });
    await start();
  },
};
