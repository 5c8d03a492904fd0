import type { App, Scenario } from "../scenario";
import { markOf, type World } from "../world";

interface Job {
  readonly to: string;
  readonly timestamp: number;
}

const day = 86_400_000;
const forgotten = ({ customers }: World): Job[] =>
  customers.slice(0, 500).map(({ email }) => ({ to: email, timestamp: Date.now() - 270 * day }));
const todays = ({ customers }: World): Job[] =>
  customers.slice(-30).map(({ email }) => ({ to: email, timestamp: Date.now() - 60_000 }));

/** A worker that was down for nine months comes back. */
async function drain({ post, run }: App, queue: readonly Job[]): Promise<void> {
  for (const { to, timestamp } of queue) {
    const mail = {
      to,
      subject: "Your trip tomorrow",
      text: `Do not forget. ${markOf("reminder", to)}`,
      tag: "reminder",
    };
    await run({ createdAt: timestamp }, () => post(mail)).catch(() => {});
  }
}

export const oldQueue: Scenario = {
  id: "9",
  title: "a queue nine months old is drained",
  environment: "production",
  intended: () => new Map(),
  intendedFixed: (world) => new Map(todays(world).map(({ to }) => [to, markOf("reminder", to)])),
  buggy: (app) => drain(app, forgotten(app.world)),
  fixed: (app) => drain(app, todays(app.world)),
};
