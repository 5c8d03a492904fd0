/**
 * The conformance suite of the store seam: what every store must do, each thing one case.
 * It uses nothing but the {@link Store} interface, brings its own assertions, and takes the test
 * runner as an argument, so it runs under vitest, jest, mocha and `node:test`.
 *
 * ```ts
 * import { describe, it } from "vitest";
 * import { storeConformance } from "mailfuse/testing";
 *
 * storeConformance({ describe, it }, { name: "mine", clock: "server", open: openAnEmptyOne });
 * ```
 *
 * @module
 */
import { addressCases } from "./store-cases/addresses";
import { bench, type OpenedStore, type StoreCase } from "./store-cases/bench";
import { capCases } from "./store-cases/caps";
import { haltCases } from "./store-cases/halts";
import { ledgerCases } from "./store-cases/ledger";
import { onceCases } from "./store-cases/once";
import { planCases } from "./store-cases/plans";
import { refundCases } from "./store-cases/refunds";
import { spoolCases } from "./store-cases/spool";
import { valueCases } from "./store-cases/values";

export type { OpenedStore } from "./store-cases/bench";

/** What the suite needs of a test runner. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: ((name: string, body: () => Promise<void>) => unknown) & {
    readonly skip: (name: string, body: () => Promise<void>) => unknown;
  };
}

/** The store under test. */
export interface StoreUnderTest {
  readonly name: string;
  /** Opens an empty store, for one case. */
  readonly open: () => Promise<OpenedStore>;
  /**
   * `"injected"`: time stands still but for `advance`. `"server"`: the server's own clock counts;
   * windows are short and cases that need a given instant are skipped.
   * @default "injected"
   */
  readonly clock?: "injected" | "server";
  /** Cases that do not apply, by name, each with the reason. */
  readonly skip?: Readonly<Record<string, string>>;
}

const groups: Readonly<Record<string, readonly StoreCase[]>> = {
  ledger: ledgerCases,
  caps: capCases,
  refunds: refundCases,
  once: onceCases,
  halts: haltCases,
  plans: planCases,
  spool: spoolCases,
  values: valueCases,
  addresses: addressCases,
};

/** The names of all cases, for `skip`. */
export const storeCaseNames: readonly string[] = Object.values(groups).flatMap((cases) =>
  cases.map(({ name }) => name),
);

/**
 * Registers the suite with a test runner.
 *
 * @throws RangeError when `skip` names a case that does not exist: a skip must not outlive its case.
 *
 * @example
 * ```ts
 * storeConformance({ describe, it }, {
 *   name: "memory",
 *   async open() {
 *     let time = 1_000_000;
 *     const store = memoryStore({ clock: { now: () => time } });
 *     return { store, advance: (ms) => void (time += ms), close: () => store.close() };
 *   },
 *   skip: { "keeps everything for another process": "it lives in one process" },
 * });
 * ```
 */
export function storeConformance(runner: TestRunner, subject: StoreUnderTest): void {
  const skip = new Map(Object.entries(subject.skip ?? {}));
  for (const name of skip.keys()) {
    if (!storeCaseNames.includes(name))
      throw new RangeError(`Expected \`skip\` to name cases of the suite, got "${name}".`);
  }
  runner.describe(`store conformance: ${subject.name}`, () => {
    for (const [group, cases] of Object.entries(groups)) {
      runner.describe(group, () => {
        for (const one of cases) {
          const reason =
            skip.get(one.name) ?? (one.clock && subject.clock === "server" ? "the server's clock cannot be set" : "");
          const body = () => runCase(one, subject);
          if (reason) runner.it.skip(`${one.name} (${reason})`, body);
          else runner.it(one.name, body);
        }
      });
    }
  });
}

async function runCase(one: StoreCase, subject: StoreUnderTest): Promise<void> {
  const opened = await subject.open();
  try {
    if ((subject.clock === "server") === (opened.advance !== undefined)) {
      throw new RangeError('Expected `advance` with clock "injected", and none with clock "server".');
    }
    await opened.store.open();
    await one.run(await bench(opened));
  } finally {
    await opened.close();
  }
}
