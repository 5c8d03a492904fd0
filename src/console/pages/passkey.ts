/**
 * Registering a passkey. The console keeps nothing: the public key goes into the configuration, which
 * says whose it is, and which people review.
 *
 * @module
 */
import { hash } from "node:crypto";
import { readRegistration } from "../../plan/passkeys";
import { page } from "../answer";
import { html, told } from "../html";
import { boundOf, formOf, type Visit } from "../visit";
import { layout } from "./layout";
import { problemPage } from "./problem";

/** The page. */
export function registration(visit: Visit): Response {
  const { actor, origin } = visit;
  const form = formOf(
    visit,
    { action: "register", path: "/passkey" },
    html`<input type="hidden" name="answer" value=""><button>Make a passkey</button><p role="status"></p>`,
  );
  const token = /name="token" value="([^"]*)"/.exec(form.text)?.[1] ?? "";
  const content = html`<h1>Your passkey</h1>
<p>It is made on this device, or on a key you hold. What this page prints goes into the configuration, by somebody who may change it: until then it counts for nothing.</p>
<noscript><p>Passkeys need the browser's script. Confirm with a key file instead: <code>npx mailfuse keys new ${told(actor.id)}</code></p></noscript>
<div hidden data-passkey="create" data-challenge="${challengeOf(token)}" data-host="${new URL(origin).hostname}" data-name="${actor.id}">${form}</div>`;
  return page(layout(visit, "Your passkey", content));
}

/** Prints the line for the configuration. */
export async function register(visit: Visit): Promise<Response> {
  const { actor, form, forms, origin, tries } = visit;
  const token = form.get("token") ?? "";
  const answer = forms.spend(token, boundOf(visit, { action: "register" }));
  if (answer !== "good") return problemPage(visit, 403, answer);
  if (!tries.actor.allows(actor.id)) return problemPage(visit, 429, "too-many");
  const passkey = await readRegistration(parse(form.get("answer")), challengeOf(token), origin);
  const content = html`<h1>Your passkey</h1><p>Into the configuration, under <code>approvers</code>, beside what stands there of you:</p>
<pre><code>${JSON.stringify(actor.id)}: { passkeys: [${JSON.stringify(passkey)}] },</code></pre>`;
  return page(layout(visit, "Your passkey", content));
}

/** The form's own token counts once and is bound to the person; so is what is made of it. */
function challengeOf(token: string): string {
  return hash("sha256", `mailfuse:register:${token}`, "base64url");
}

function parse(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "") as unknown;
  } catch {
    return undefined;
  }
}
