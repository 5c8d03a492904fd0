/**
 * No SDK: a provider's REST API called by hand, through the same guards.
 *
 * `toThisMachine` stands for the network: it leads every host to a server on this machine.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createFuse, MailfuseError } from "mailfuse";
import { guardedFetch } from "mailfuse/fetch";

const paths: string[] = [];
const api = createServer((request, response) => {
  paths.push(request.url ?? "");
  request.resume();
  response.end(JSON.stringify({ id: "m-1" }));
});
await new Promise<void>((done) => api.listen(0, "127.0.0.1", done));
const { port } = api.address() as AddressInfo;
const toThisMachine: typeof fetch = (input, init) =>
  fetch(`http://127.0.0.1:${port}${new URL(String(input)).pathname}`, init);

const fuse = createFuse({
  environment: "staging",
  environments: { staging: { mode: "test", allow: ["*@acme.test"] } },
});
const guarded = guardedFetch(fuse, { fetch: toThisMachine });

const send = (to: string) =>
  guarded("https://api.resend.com/emails", {
    method: "POST",
    headers: { authorization: "Bearer re_key", "content-type": "application/json" },
    body: JSON.stringify({ from: "app@acme.test", to, subject: "Hello", text: "Hi." }),
  });

console.log(`to a colleague: ${(await send("qa@acme.test")).status}`);
const refused = await send("customer@example.org").catch((error: unknown) => error);
console.log(`to a customer: ${MailfuseError.isInstance(refused) ? refused.code : "sent"}`);

// Other hosts are none of the fuse's business.
console.log(`elsewhere: ${(await guarded("https://api.example.org/orders")).status}`);

if (paths.join() !== "/emails,/orders")
  throw new Error(`Expected one mail and one other request, got ${paths.join()}.`);
await fuse.close();
api.close();
api.closeAllConnections();
