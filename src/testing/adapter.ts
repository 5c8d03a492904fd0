/**
 * The conformance suite of the adapter seam: what every adapter must do, each thing one case. It
 * runs the real client against a loopback server that records the wire, brings its own assertions,
 * and takes the test runner as an argument, so it runs under vitest, jest, mocha and `node:test`.
 *
 * ```ts
 * import { describe, it } from "vitest";
 * import { adapterConformance } from "mailfuse/testing";
 *
 * adapterConformance({ describe, it }, { name: "mine", adapter: myAdapter, … });
 * ```
 *
 * @module
 */
import { attachCases } from "./adapter-cases/attach";
import { type AdapterCase, type AdapterUnderTest, openBench } from "./adapter-cases/bench";
import { copyCases } from "./adapter-cases/copy";
import { deliveryCases } from "./adapter-cases/delivery";
import { diversionCases } from "./adapter-cases/diversion";
import type { TestRunner } from "./store";

export type { AdapterUnderTest, EverydaySend, Replies } from "./adapter-cases/bench";

const groups: Readonly<Record<string, readonly AdapterCase[]>> = {
  attaching: attachCases,
  "the copy": copyCases,
  delivery: deliveryCases,
  "instead of sending": diversionCases,
};

/** The names of all cases, for `skip`. */
export const adapterCaseNames: readonly string[] = Object.values(groups).flatMap((cases) =>
  cases.map(({ name }) => name),
);

/**
 * Registers the suite with a test runner.
 *
 * @throws RangeError when `skip` names a case that does not exist: a skip must not outlive its case.
 *
 * @example
 * ```ts
 * adapterConformance({ describe, it }, {
 *   name: "sendgrid",
 *   adapter: sendgridAdapter,
 *   client: (endpoint) => clientTowards(endpoint),
 *   recipients: (request) => addressesIn(request),
 *   replies: { accepted: () => ({ status: 202 }), refused: { status: 400 } },
 *   sends: { text: { args: (to) => [{ to, from, subject, text }], call: (sg, args) => sg.send(...args) } },
 * });
 * ```
 */
export function adapterConformance<Client extends object>(runner: TestRunner, subject: AdapterUnderTest<Client>): void {
  const skip = new Map(Object.entries(subject.skip ?? {}));
  for (const name of skip.keys()) {
    if (!adapterCaseNames.includes(name))
      throw new RangeError(`Expected \`skip\` to name cases of the suite, got "${name}".`);
  }
  runner.describe(`adapter conformance: ${subject.name}`, () => {
    for (const [group, cases] of Object.entries(groups)) {
      runner.describe(group, () => {
        for (const one of cases) register(runner, subject as AdapterUnderTest<object>, one, skip.get(one.name));
      });
    }
  });
}

function register(
  runner: TestRunner,
  subject: AdapterUnderTest<object>,
  one: AdapterCase,
  reason: string | undefined,
): void {
  const names =
    one.each === "send"
      ? Object.keys(subject.sends)
      : one.each === "tamper"
        ? Object.keys(subject.tampers ?? {})
        : [""];
  for (const name of names) {
    const title = name === "" ? one.name : `${one.name}: ${name}`;
    const body = async () => {
      const bench = await openBench(subject, name);
      try {
        await one.run(bench);
      } finally {
        await bench.close();
      }
    };
    if (reason !== undefined) runner.it.skip(`${title} (${reason})`, body);
    else runner.it(title, body);
  }
}
