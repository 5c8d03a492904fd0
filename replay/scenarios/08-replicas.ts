import type { App, Scenario } from "../scenario";
import { markOf, type World } from "../world";

const concerned = ({ customers }: World) => customers.slice(0, 200).map((customer) => customer.email);

/** The nightly job; a slow answer makes the scheduler start it again, and every replica has one. */
async function nightly({ world }: App, posts: App["replicas"]): Promise<void> {
  await Promise.all(
    posts.map(async (post) => {
      for (const to of concerned(world)) {
        await post({
          to,
          subject: "Maintenance tonight",
          text: `From one to two. ${markOf("nightly", to)}`,
          tag: "service-notice",
        }).catch(() => {});
      }
    }),
  );
}

export const replicas: Scenario = {
  id: "8",
  title: "a batch sent again by retries and by every replica",
  environment: "production",
  intended: (world) => new Map(concerned(world).map((to) => [to, markOf("nightly", to)])),
  buggy: (app) => nightly(app, app.replicas),
  fixed: (app) => nightly(app, app.replicas.slice(0, 1)),
};
