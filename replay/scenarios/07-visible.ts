import type { Scenario } from "../scenario";
import { markOf, type World } from "../world";

const concerned = ({ customers }: World) => customers.slice(0, 200).map((customer) => customer.email);
const notice = { subject: "Your station closes on Sunday", tag: "service-notice" };
const text = (to: string) => `Buses run instead. ${markOf("notice", to)}`;

export const visible: Scenario = {
  id: "7",
  title: "everybody in To",
  environment: "production",
  intended: (world) => new Map(concerned(world).map((to) => [to, markOf("notice", to)])),
  buggy: async ({ world, post }) => {
    const all = concerned(world);
    await post({ to: all.join(", "), ...notice, text: text(all[0] as string) }).catch(() => {});
  },
  fixed: async ({ world, post }) => {
    for (const to of concerned(world)) await post({ to, ...notice, text: text(to) });
  },
};
