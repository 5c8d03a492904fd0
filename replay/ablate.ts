/**
 * Takes one guard away at a time and looks which incidents get through: no guard is there for
 * show. What is taken away is taken from the configuration, or from what the harness declares;
 * the library has no switch for it.
 */
import type { FuseConfig, PurposeConfig } from "mailfuse";
import type { World } from "./world";

export interface Ablation {
  readonly name: string;
  readonly config?: (config: FuseConfig, world: World) => FuseConfig;
  /** Does not say how many people a plan should reach. */
  readonly noExpectation?: boolean;
  /** Plans anew when it is sent, instead of sending what was planned. */
  readonly notFrozen?: boolean;
}

const purposes =
  (change: (purpose: PurposeConfig) => PurposeConfig) =>
  (config: FuseConfig): FuseConfig => ({
    ...config,
    purposes: Object.fromEntries(
      Object.entries(config.purposes ?? {}).map(([name, purpose]) => [name, change(purpose)]),
    ),
  });

const many = 1_000_000;

/** Subject bindings stay: they are taken away by themselves. */
function withoutClaims({ claim, ...rest }: PurposeConfig): PurposeConfig {
  return { ...rest, ...(claim?.subject ? { claim: { data: claim.data, subject: claim.subject } } : {}) };
}

function withoutLint(purpose: PurposeConfig): PurposeConfig {
  return { ...purpose, content: { placeholders: "off", missingValues: "off", empty: "off", fixtures: "off" } };
}

export const ablations: readonly Ablation[] = [
  { name: "nothing" },
  {
    name: "allowlist",
    config: (config) => ({
      ...config,
      environments: { ...config.environments, staging: { mode: "test", allow: ["*"] } },
    }),
  },
  { name: "expected count", noExpectation: true },
  { name: "frozen plan", notFrozen: true },
  { name: "claims", config: purposes(withoutClaims) },
  {
    name: "subject binding",
    config: purposes(({ claim, ...rest }) => {
      const { subject: _subject, ...others } = claim ?? { data: undefined };
      return {
        ...rest,
        ...(claim && (claim.verify || claim.verifyMany) ? { claim: { ...others, data: claim.data } } : {}),
      };
    }),
  },
  {
    name: "visible recipients",
    config: (config) =>
      purposes((purpose) => ({ ...purpose, maxVisible: many }))({
        ...config,
        defaults: { ...config.defaults, maxVisible: many },
      }),
  },
  { name: "list addresses", config: (config, { list }) => ({ ...config, audiences: { [list]: { people: 1 } } }) },
  { name: "freshness", config: purposes(({ freshness: _freshness, ...rest }) => rest) },
  { name: "once", config: purposes(({ duplicateWindow: _window, ...rest }) => rest) },
  { name: "content lint", config: purposes(withoutLint) },
  // Hastings' mail was untrue and said "null": two guards see it, and either is enough.
  { name: "claims and content lint", config: purposes((purpose) => withoutLint(withoutClaims(purpose))) },
  {
    name: "default cap",
    config: (config) => ({
      ...config,
      defaults: { caps: [{ people: many, per: "1h" }], confirm: { abovePeople: many } },
    }),
  },
];
