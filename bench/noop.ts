/**
 * A client that sends nothing, and its adapter: what is left is the fuse. Functions are methods here, since the loader that runs
 * the bench names every function that is a value anew whenever it is made, which would be measured as well.
 */
import { type Adapter, type Commit, createMessage, parseAddresses, type Recipient, snapshot } from "mailfuse/adapter";

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
  return {
    async send() {
      return answer;
    },
  };
}

export function noopAdapter(): Adapter<NoopClient> {
  return {
    name: "noop",
    attach(client, gate) {
      const send = client.send.bind(client);
      Object.assign(client, {
        send(mail: NoopMail) {
          const copy = snapshot(mail) as unknown as NoopMail;
          const { addresses, problems } = parseAddresses(copy.to, "to", "list");
          const recipients: Recipient[] = [];
          for (const address of addresses) recipients.push({ field: "to", ...address });
          const message = createMessage({
            recipients,
            from: "orders@acme.com",
            content() {
              return copy;
            },
          });
          return gate.pass({
            intent: { kind: "send", messages: [message], problems },
            async deliver(commit: Commit) {
              await commit();
              return send(copy);
            },
            simulate() {
              return { id: "simulated" };
            },
            outcome(settled) {
              return "result" in settled ? { fate: "accepted" } : { fate: "unknown" };
            },
            redirect() {
              return Promise.reject(new Error("The bench redirects nothing."));
            },
            spool() {
              return Buffer.from(JSON.stringify(copy));
            },
          });
        },
      });
      return {
        detach() {
          client.send = send;
        },
        verify() {
          return undefined;
        },
        revive() {
          throw new Error("The bench releases nothing through this client.");
        },
      };
    },
  };
}
