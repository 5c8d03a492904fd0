/**
 * Resend in production: a purpose with a cap, known by the mail's own tag.
 *
 * The client talks to a server on this machine that stands for Resend's API.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createFuse, MailfuseError } from "mailfuse";
import { resendAdapter } from "mailfuse/resend";
import { Resend } from "resend";

const keys: unknown[] = [];
const api = createServer((request, response) => {
  keys.push(request.headers["idempotency-key"]);
  request.resume();
  response.setHeader("content-type", "application/json").end(JSON.stringify({ id: `m-${keys.length}` }));
});
await new Promise<void>((done) => api.listen(0, "127.0.0.1", done));
const { port } = api.address() as AddressInfo;

const fuse = createFuse({
  environment: "production",
  environments: { production: { mode: "live" } },
  purposes: {
    "password-reset": { kind: "stream", match: { tag: "password-reset" }, caps: [{ people: 2, per: "1h" }] },
  },
  defaults: { caps: [{ people: 100, per: "1h" }] },
});
const resend = fuse.attach(new Resend("re_key", { baseUrl: `http://127.0.0.1:${port}` }), resendAdapter());

const reset = (to: string) =>
  resend.emails.send({
    from: "app@acme.test",
    to,
    subject: "Reset your password",
    text: "Follow this link.",
    tags: [{ name: "category", value: "password-reset" }],
  });

// Resend resolves its errors; a refusal of the fuse rejects, so that nobody overlooks it.
for (const name of ["ann", "bob", "carl"]) {
  try {
    const { data, error } = await reset(`${name}@example.org`);
    console.log(`${name}: ${data?.id ?? error?.name}`);
  } catch (error) {
    if (!MailfuseError.isInstance(error)) throw error;
    console.log(`${name}: ${error.code}`);
  }
}

// A broadcast mails people whom only Resend knows: undeclared, it stays where it is.
const refused = await resend.broadcasts.send("b_1").catch((error: unknown) => error);
console.log(`a broadcast: ${MailfuseError.isInstance(refused) ? refused.code : "sent"}`);

if (keys.length !== 2 || new Set(keys).size !== 2) {
  throw new Error(`Expected two mails at the API, each with a key of its own, got ${keys.length}.`);
}
await fuse.close();
api.close();
api.closeAllConnections();
