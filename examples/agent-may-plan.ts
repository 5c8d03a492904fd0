/**
 * A tool for an agent, or for an unattended job: it may plan a mass mail and ask how a plan stands,
 * and, if you like, release what people have confirmed. It can never confirm: the process holds no
 * private key, and a plan counts the approvals of people other than its requester only.
 */
import { createFuse, generateKeys, MailfuseError, memoryStore, signToken } from "mailfuse";
import { nodemailerAdapter } from "mailfuse/nodemailer";
import { createTransport } from "nodemailer";

const erin = generateKeys(); // in truth Erin's own machine has the private key, and this process only the public one

const fuse = createFuse({
  environment: "production",
  environments: { production: { mode: "live" } },
  purposes: { "win-back": { kind: "bulk", caps: [{ people: 1_000, per: "24h" }] } },
  defaults: { caps: [{ people: 100, per: "1h" }] },
  approvers: { erin: { publicKey: erin.publicKey } },
  requesters: ["agent"], // a principal that may ask, and nothing else
  store: memoryStore(),
  logger: { debug() {}, info() {}, warn() {}, error() {} },
});
const mailer = fuse.attach(createTransport({ jsonTransport: true }), nodemailerAdapter());

/** What the agent is given. No tool here takes a key, a view or a token. */
const tools = {
  async planWinBack(input: { readonly audience: readonly string[]; readonly subject: string; readonly text: string }) {
    const plan = await fuse.plan(
      { purpose: "win-back", expectedPeople: 3, requestedBy: "agent" },
      {
        audience: input.audience,
        send: (to) => mailer.sendMail({ from: "shop@acme.test", to, subject: input.subject, text: input.text }),
      },
    );
    return { plan: plan.id, state: plan.state, people: plan.terms.people, refusals: plan.refusalCounts };
  },
  async planState(input: { readonly plan: string }) {
    const { state, approvals } = await fuse.findPlan(input.plan);
    return { state, approvals: approvals.length };
  },
  async release(input: { readonly plan: string }) {
    try {
      const { state, accepted } = await fuse.release(input.plan);
      return { state, accepted };
    } catch (error) {
      if (!MailfuseError.isInstance(error)) throw error;
      return { refused: error.code, fix: error.refusals[0]?.fix };
    }
  },
};

const mail = { subject: "We miss you", text: "Come back." };
// The agent has misunderstood whom it should reach: said before the audience was looked up, three is three.
const wrong = await tools.planWinBack({ ...mail, audience: ["a", "b", "c", "d"].map((name) => `${name}@acme.test`) });
console.log("the whole customer base:", wrong.state, wrong.refusals);

const planned = await tools.planWinBack({ ...mail, audience: ["a", "b", "c"].map((name) => `${name}@acme.test`) });
console.log("three people:", planned.state);
const early = await tools.release(planned);
console.log("released by the agent:", early);

// Erin looks at what would leave, on her own machine, and signs.
const { plan, view } = await fuse.view(planned.plan, { by: "erin" });
const yes = { plan: plan.id, digest: plan.digest, view, by: "erin", privateKey: erin.privateKey, now: Date.now() };
await fuse.confirm(plan.id, { tokens: [await signToken(yes)] });
console.log("confirmed by Erin:", await tools.planState(planned));
const late = await tools.release(planned);
console.log("released by the agent:", late);

if (wrong.state !== "refused" || early.refused !== "APPROVALS_MISSING" || late.accepted !== 3)
  throw new Error("Expected the agent to plan, and to release nothing that no person has confirmed.");
await fuse.close();
