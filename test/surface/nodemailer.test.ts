import { EventEmitter } from "node:events";
import { createRequire } from "node:module";
import { SESv2Client, SendEmailCommand } from "@aws-sdk/client-sesv2";
import nodemailer, { type Transporter } from "nodemailer";
import { describe, expect, it } from "vitest";
import { methodsOf, unclassified } from "./methods";

/**
 * What a method does. `guarded` ones lead to the choke point, or are it; `settings` change what the next send would
 * do, and are judged with it; `inner` ones are what a guarded one is made of, by names that are private.
 */
type Kind = "guarded" | "settings" | "inner" | "local";

/** Of every transporter. */
const mailer = {
  _convertDataImages: "inner",
  _processPlugins: "inner",
  close: "local",
  get: "local",
  getVersionString: "local",
  isIdle: "local",
  sendMail: "guarded",
  set: "settings",
  setupProxy: "settings",
  use: "settings",
  verify: "guarded",
} as const satisfies Record<string, Kind>;

/** Of each transport. */
const transports = {
  smtp: { close: "local", getAuth: "local", getSocket: "settings", send: "guarded", verify: "guarded" },
  pool: {
    _checkRateLimit: "inner",
    _clearRateLimit: "inner",
    _continueProcessing: "inner",
    _createConnection: "guarded",
    _failDeliveryOnConnectionClose: "inner",
    _processMessages: "inner",
    _removeConnection: "inner",
    _requeueEntryOnConnectionClose: "inner",
    _shouldRequeuOnConnectionClose: "inner",
    close: "local",
    getSocket: "settings",
    isIdle: "local",
    send: "guarded",
    verify: "guarded",
  },
  sendmail: { _spawn: "inner", send: "guarded" },
  stream: { send: "guarded" },
  json: { send: "guarded" },
  ses: { send: "guarded", verify: "guarded" },
} as const satisfies Record<string, Record<string, Kind>>;

/** What single versions have beside that. */
const newer = { pool: { _watchAbortSignal: "inner", pendingCount: "local" }, ses: { getRegion: "local" } } as const;
const older = {
  ses: {
    _checkRatedQueue: "inner",
    _checkSendingRate: "inner",
    _send: "inner",
    _sent: "inner",
    isIdle: "local",
  },
} as const;

const setups = {
  smtp: { host: "127.0.0.1" },
  pool: { host: "127.0.0.1", pool: true },
  sendmail: { sendmail: true },
  stream: { streamTransport: true },
  json: { jsonTransport: true },
} as const;
type Name = keyof typeof transports;
const names = Object.keys(transports) as Name[];

// The older ones have no types of their own.
const load = createRequire(import.meta.url) as (name: string) => object;
const versions: readonly (readonly [string, object, Partial<Record<Name, object>>])[] = [
  ["10", nodemailer, newer],
  ["9", load("nodemailer-9"), { ses: newer.ses }],
  ["7", load("nodemailer-7"), { ses: newer.ses }],
  ["6", load("nodemailer-6"), older],
];

function transporterOf(module: object, name: Name): object {
  const ses = { sesClient: new SESv2Client({ region: "eu-west-1" }), SendEmailCommand };
  const setup = name === "ses" ? { SES: ses } : setups[name];
  return (module as { createTransport(setup: object): object }).createTransport(setup);
}

/** Without what every emitter has, and without another package's client. */
function reached(transporter: object): string[] {
  return methodsOf(transporter).filter((name) => {
    const own = name.replace(/^transporter\./, "");
    return !(own in EventEmitter.prototype) && !/(?:^|\.)(?:sesClient|logger|meta)\./.test(name);
  });
}

function tableOf(name: Name, more: Partial<Record<Name, object>>): Record<string, Kind> {
  const transport: Record<string, Kind> = { ...transports[name], ...more[name] };
  const inside = Object.entries(transport).map(([method, kind]) => [`transporter.${method}`, kind]);
  return { ...mailer, ...Object.fromEntries(inside) };
}

describe.each(versions)("nodemailer %s, as it is installed", (_version, module, more) => {
  it.each(names)("has no method of the %s transport that nobody has judged", (name) => {
    expect(unclassified(reached(transporterOf(module, name)), tableOf(name, more))).toEqual([]);
  });

  it("exports no other way to send", () => {
    const exported = Object.keys(module).filter((name) => name !== "default");
    expect(exported.sort()).toEqual(["createTestAccount", "createTransport", "getTestMessageUrl"]);
  });
});

describe("the table of nodemailer's methods", () => {
  it("would fail with a method more", () => {
    const transporter = Object.assign(transporterOf(nodemailer, "json"), { blast: () => {} });
    const { set: _set, ...table } = tableOf("json", newer);
    expect(
      unclassified(
        reached(transporter).filter((one) => one !== "set"),
        table,
      ),
    ).toEqual(["blast is in no table: say what it does"]);
  });

  type Shown<Client> = Exclude<
    { [Key in keyof Client & string]: Client[Key] extends (...args: never[]) => unknown ? Key : never }[keyof Client &
      string],
    keyof EventEmitter
  >;
  it("would not compile with a method more", () => {
    mailer satisfies Record<Shown<Transporter>, Kind>;
    // @ts-expect-error: blast is missing
    mailer satisfies Record<Shown<Transporter & { blast(): void }>, Kind>;
  });
});
