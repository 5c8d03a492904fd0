/**
 * Learns why a request made with `fetch` got no answer. SDKs keep that to themselves ("fetch failed"),
 * and it decides whether a mail may have been sent.
 *
 * @module
 */
import { subscribe } from "node:diagnostics_channel";
import { ContextValue } from "../context";
import { isNoConnection } from "./fates";

/** The requests of one call. */
interface Watched {
  made: number;
  neverConnected: number;
}

const watching = new ContextValue<Watched>();
const requests = new WeakMap<object, Watched>();
let subscribed = false;

// undici, Node's own and installed copies alike, says on these channels what becomes of a request.
function listen(): void {
  if (subscribed) return;
  subscribed = true;
  subscribe("undici:request:create", (message) => {
    const watched = watching.getStore();
    if (!watched) return;
    watched.made += 1;
    requests.set((message as { request: object }).request, watched);
  });
  subscribe("undici:request:error", (message) => {
    const { request, error } = message as { request: object; error: unknown };
    const watched = requests.get(request);
    if (watched && isNoConnection(error)) watched.neverConnected += 1;
  });
}

/**
 * Runs a call and watches its requests.
 *
 * @returns The call's own result, and whether it is proven that no connection came about for any
 * request of it. Without proof (another HTTP library, a request under way) it is `false`.
 */
export function watchFetch<Result>(work: () => Result): { readonly result: Result; neverConnected(): boolean } {
  listen();
  const watched: Watched = { made: 0, neverConnected: 0 };
  return {
    result: watching.run(watched, work),
    neverConnected: () => watched.made > 0 && watched.neverConnected === watched.made,
  };
}
