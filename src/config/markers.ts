/**
 * Markers that contradict a live environment: a process that carries one is hardly production.
 * The list is closed and documented in docs/configuration.md; each is waived by its name.
 *
 * @module
 */

type Env = Readonly<Record<string, string | undefined>>;

interface Marker {
  readonly name: string;
  readonly set: (env: Env) => boolean;
}

const truthy = (value: string | undefined) =>
  value !== undefined && !["", "0", "false", "no", "off"].includes(value.toLowerCase());
const oneOf = (value: string | undefined, ...values: readonly string[]) =>
  value !== undefined && values.includes(value.toLowerCase());

const markers: readonly Marker[] = [
  { name: "CI", set: (env) => truthy(env.CI) },
  { name: "NODE_ENV", set: (env) => oneOf(env.NODE_ENV, "test", "development") },
  { name: "VITEST", set: (env) => truthy(env.VITEST) },
  { name: "JEST_WORKER_ID", set: (env) => truthy(env.JEST_WORKER_ID) },
  { name: "NODE_TEST_CONTEXT", set: (env) => truthy(env.NODE_TEST_CONTEXT) },
  { name: "VERCEL_ENV", set: (env) => oneOf(env.VERCEL_ENV, "preview", "development") },
  {
    name: "CONTEXT",
    set: (env) => truthy(env.NETLIFY) && oneOf(env.CONTEXT, "deploy-preview", "branch-deploy", "dev"),
  },
  { name: "IS_PULL_REQUEST", set: (env) => truthy(env.IS_PULL_REQUEST) },
  { name: "HEROKU_PR_NUMBER", set: (env) => truthy(env.HEROKU_PR_NUMBER) },
  { name: "CODESPACES", set: (env) => truthy(env.CODESPACES) },
];

/** The names of all markers there are. */
export const markerNames: readonly string[] = markers.map((marker) => marker.name);

/** The markers that are set and not waived. */
export function contradictions(env: Env, waived: readonly string[]): string[] {
  return markers.filter((marker) => marker.set(env) && !waived.includes(marker.name)).map((marker) => marker.name);
}
