/**
 * Puts a fuse into a client, in place: the same object, the same type.
 *
 * @module
 */
import type { Adapter, Attachment, Gate } from "./adapter";
import { prepareUts46 } from "./address/uts46";
import type { Core, Held } from "./core";
import { MailfuseError } from "./errors";
import type { LateExit } from "./late-exit";

/** The marker an attached client carries, so that two copies of the package see each other. */
const attachedMark = Symbol.for("mailfuse.attached");

interface AttachedMark {
  readonly policyDigest: string;
  readonly environment: string;
  readonly detach: () => void;
}

/** See `Fuse.attach`. */
export function attachClient<Client extends object>(
  core: Core,
  exit: LateExit,
  client: Client,
  adapter: Adapter<Client>,
  name: string | undefined,
): void {
  const { policyDigest, environment } = core.settings;
  const marked = (client as { [attachedMark]?: AttachedMark })[attachedMark];
  if (marked) {
    if (marked.policyDigest !== policyDigest)
      throw attachConflict(marked, { policyDigest, environment: environment.name });
    marked.detach();
  }
  let held: Held | undefined;
  const gate: Gate = {
    pass: (call) => (held ? exit.pass(call, held) : Promise.reject(detached())),
    unattached: core.settings.unattached,
    limits: core.settings.limits,
  };
  prepareUts46();
  // A client that is attached will send; what fails here is told to its first mail.
  exit.load().catch(() => {});
  const attachment = adapter.attach(client, gate);
  const account = name ?? attachment.account;
  held = {
    key: freeKey(core, adapter.name, account),
    provider: adapter.name,
    client,
    attachment: named(attachment, account),
  };
  const { key } = held;
  core.held.set(key, held);
  const detach = () => {
    attachment.detach();
    held = undefined;
    core.held.delete(key);
    Reflect.deleteProperty(client, attachedMark);
  };
  const mark: AttachedMark = { policyDigest, environment: environment.name, detach };
  Object.defineProperty(client, attachedMark, { value: mark, configurable: true, enumerable: false });
}

/** Takes the fuse out of a client, where one holds it. */
export function detachClient(client: object): void {
  (client as { [attachedMark]?: AttachedMark })[attachedMark]?.detach();
}

function freeKey(core: Core, provider: string, account: string | undefined): string {
  const key = account === undefined ? provider : `${provider}:${account}`;
  if (!core.held.has(key)) return key;
  for (let index = 2; ; index++) if (!core.held.has(`${key}#${index}`)) return `${key}#${index}`;
}

function named(attachment: Attachment, account: string | undefined): Attachment {
  if (account === attachment.account || account === undefined) return attachment;
  return {
    account,
    ...(attachment.dropsRepeatsMs === undefined ? {} : { dropsRepeatsMs: attachment.dropsRepeatsMs }),
    detach: () => attachment.detach(),
    verify: () => attachment.verify(),
    ready: async () => attachment.ready?.(),
    revive: (spooled) => attachment.revive(spooled),
  };
}

function attachConflict(
  marked: { readonly policyDigest: string; readonly environment: string },
  own: typeof marked,
): MailfuseError {
  const name = (side: typeof marked) => `"${side.environment}" (policy ${side.policyDigest.slice(0, 8)})`;
  return new MailfuseError({
    code: "ATTACH_CONFLICT",
    message: `Expected a client that no other policy holds, got one held by a fuse of ${name(marked)} while attaching ${name(own)}.`,
    fix: "Detach the first fuse, or share one fuse between the modules that attach.",
  });
}

function detached(): MailfuseError {
  return new MailfuseError({
    code: "CHOKE_POINT_CHANGED",
    message: "Expected an attached client, got a call through a choke point whose fuse was detached.",
    fix: "Attach the client again, or drop references taken from it while it was attached.",
  });
}
