/** Eight processes spend one token at once: exactly one wins. */
import { generateKeys } from "../../src/plan/sign";
import type { Check, Result, RunOptions } from "./check";
import type { Common, Job } from "./child";
import { bundled, Crew } from "./crew";
import { startMailbox } from "./mailbox";
import { freshPlace, type Kind, skipped } from "./places";
import { openPlace } from "./stores";

/** `token/<store>`. */
export function tokenCheck(kind: Kind): Check {
  const why = skipped[kind];
  return {
    id: `token/${kind}`,
    ...(why === undefined ? {} : { skipped: why }),
    run: (options) => token(kind, options),
  };
}

async function token(kind: Kind, { quick, say }: RunOptions): Promise<Result> {
  const rounds = quick ? 2 : 12;
  const fresh = await freshPlace(kind);
  const mailbox = await startMailbox();
  const place = await openPlace(fresh.place(0));
  const approver = generateKeys().publicKey;
  let [attempts, won, wrong] = [0, 0, 0];
  try {
    for (let round = 0; round < rounds; round++) {
      const plans = Array.from({ length: 8 }, (_, n) => `plan-${round}-${n}`);
      for (const id of plans) await place.store.addPlan({ id, state: "confirmed", record: "{}" }, "{}");
      const crew = new Crew(await bundled());
      const common: Common = { smtp: mailbox.port, people: 10, per: "24h", approver, skewMs: 0, broken: false };
      await crew.start(
        plans.map(
          (plan, n): Job => ({ ...common, kind: "spend", place: fresh.place(n), plan, token: `token-${round}` }),
        ),
      );
      crew.go();
      await crew.until(() => crew.done);
      const winners = crew.members.filter((member) => member.spent).length;
      const changed = (await place.store.plans(8)).filter((plan) => plan.version === 2).length;
      attempts += plans.length;
      won += winners;
      wrong += Number(winners !== 1) + Number(changed !== 1) + crew.tally.crashes;
      say(`round ${round + 1} of ${rounds}: ${winners} won`);
      await crew.kill();
    }
    return { runs: rounds, attempts, delivered: won, violations: wrong, notes: { rounds } };
  } finally {
    await place.end();
    await mailbox.close();
    await fresh.end();
  }
}
