/**
 * Every page and every form, in one list.
 *
 * @module
 */
import { asset } from "./answer";
import { script, styles } from "./assets";
import { confirm, exclude, passkey, proceed, reject, revoke } from "./pages/decide";
import { correct, incident, incidents, report } from "./pages/incidents";
import { ledger, verify } from "./pages/ledger";
import { entries, entry, mail } from "./pages/mails";
import { halt, overview, resume } from "./pages/overview";
import { register, registration } from "./pages/passkey";
import { plan } from "./pages/plan";
import { plans } from "./pages/plans";
import { counts, progress } from "./pages/progress";
import type { Route } from "./visit";

// A plan's id as this package makes them: it stands in links, so nothing else is taken.
const id = "(p_[\\w-]{1,60})";

function get(path: string, answer: Route["answer"], open?: true): Route {
  return { method: "GET", pattern: new RegExp(`^${path}$`), answer, ...(open ? { open } : {}) };
}

function post(path: string, answer: Route["answer"]): Route {
  return { method: "POST", pattern: new RegExp(`^${path}$`), answer };
}

/** The routes. */
export const routes: readonly Route[] = [
  get("/console\\.css", () => asset(styles, "text/css; charset=utf-8"), true),
  get("/console\\.js", () => asset(script, "text/javascript; charset=utf-8"), true),
  get("/", overview),
  post("/halt", halt),
  post("/resume", resume),
  get("/plans", plans),
  get(`/plans/${id}`, plan),
  get(`/plans/${id}/entries`, entries),
  get(`/plans/${id}/entries/(\\d{1,9})`, entry),
  get(`/plans/${id}/entries/(\\d{1,9})/mails/(\\d{1,6})`, mail),
  get(`/plans/${id}/progress`, progress),
  get(`/plans/${id}/progress\\.json`, counts),
  post(`/plans/${id}/confirm`, confirm),
  post(`/plans/${id}/passkey`, passkey),
  get("/passkey", registration),
  post("/passkey", register),
  post(`/plans/${id}/reject`, reject),
  post(`/plans/${id}/revoke`, revoke),
  post(`/plans/${id}/exclude`, exclude),
  post(`/plans/${id}/proceed`, proceed),
  get("/incidents", incidents),
  get(`/incidents/${id}`, incident),
  get(`/incidents/${id}/report`, report),
  post(`/incidents/${id}/correct`, correct),
  get("/ledger", ledger),
  post("/ledger/verify", verify),
];
