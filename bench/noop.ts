/** A client that sends nothing, and its adapter: what is left is the fuse. */
import { type Adapter, createMessage, parseAddresses, type Recipient, snapshot } from "mailfuse/adapter";

export interface NoopMail {
  readonly to: string;
  readonly subject: string;
  readonly text?: string;
  readonly html?: string;
}

export interface NoopClient {
  send(mail: NoopMail): Promise<{ id: string }>;
}

export function noopClient(): NoopClient {
  const answer = { id: "1" };
  return { send: async () => answer };
}

export function noopAdapter(): Adapter<NoopClient> {
  return {
    name: "noop",
    attach(client, gate) {
      const send = client.send.bind(client);
      client.send = (mail) => {
        const copy = snapshot(mail) as unknown as NoopMail;
        const { addresses, problems } = parseAddresses(copy.to, "to", "list");
        const recipients = addresses.map((address): Recipient => ({ field: "to", ...address }));
        const message = createMessage({ recipients, from: "orders@acme.com", content: () => copy });
        return gate.pass({
          intent: { kind: "send", messages: [message], problems },
          async deliver(commit) {
            await commit();
            return send(copy);
          },
          simulate: () => ({ id: "simulated" }),
          outcome: (settled) => ("result" in settled ? { fate: "accepted" } : { fate: "unknown" }),
          redirect: () => Promise.reject(new Error("The bench redirects nothing.")),
          spool: () => Buffer.from(JSON.stringify(copy)),
        });
      };
      return {
        detach: () => {
          client.send = send;
        },
        verify: () => undefined,
        revive: () => {
          throw new Error("The bench releases nothing through this client.");
        },
      };
    },
  };
}
