import type { App, Scenario } from "../scenario";
import { markOf, type World } from "../world";

const concerned = ({ customers }: World) => customers.slice(0, 200).map((customer) => customer.email);

async function mailAll({ post }: App, people: readonly string[]): Promise<void> {
  for (const to of people) {
    await post({
      to,
      subject: "New opening hours",
      text: `From Monday on. ${markOf("hours", to)}`,
      tag: "service-notice",
    }).catch(() => {});
  }
}

export const list: Scenario = {
  id: "10",
  title: "one harmless-looking address is a list of everybody",
  environment: "production",
  intended: (world) => new Map(concerned(world).map((to) => [to, markOf("hours", to)])),
  buggy: (app) => mailAll(app, [...concerned(app.world), app.world.list]),
  fixed: (app) => mailAll(app, concerned(app.world)),
};
