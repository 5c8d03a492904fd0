import * as v1 from "@aws-sdk/client-ses";
import * as v2 from "@aws-sdk/client-sesv2";
import { describe, expect, it, onTestFinished } from "vitest";
import { sesAdapter } from "../../adapters/ses";
import { type V1Operation, type V2Operation, v1Operations, v2Operations } from "../../adapters/ses/operations";
import type { Adapter } from "../../src/adapter";
import { scriptedGate } from "../../src/testing/gate";
import { methodsOf, unclassified } from "./methods";

/** The operations of a package, from the commands it exports. */
type Operations<Package> = Exclude<
  { [Name in keyof Package]: Name extends `${infer Operation}Command` ? Operation : never }[keyof Package],
  "" | "$"
>;
type Missing<Package, Listed> = Exclude<Operations<Package>, Listed>;

// An operation that a new version adds does not compile here, and fails below.
const none = <_Missing extends never>(): true => true;
none<Missing<typeof v2, V2Operation>>() satisfies true;
none<Missing<typeof v1, V1Operation>>() satisfies true;

function operationsOf(sdk: object): string[] {
  return Object.keys(sdk).flatMap((name) => /^(\w+)Command$/.exec(name)?.[1] ?? []);
}

type Command = new (input: object) => { schema: [unknown, unknown, unknown, { http?: [string, string, number] }] };

/** Members that paths need; all operations get the same. */
const input = {
  ConfigurationSetName: "c",
  EventDestinationName: "e",
  ContactListName: "l",
  EmailAddress: "ann@customers.test",
  TemplateName: "t",
  PoolName: "p",
  EmailIdentity: "ann@customers.test",
  PolicyName: "p",
  EndpointName: "e",
  JobId: "j",
  Ip: "127.0.0.1",
  ReportId: "r",
  CampaignId: "c",
  Domain: "acme.test",
  MessageId: "m",
  ReputationEntityType: "RESOURCE",
  ReputationEntityReference: "r",
  SubscribedDomain: "acme.test",
  StartDate: new Date(0),
  EndDate: new Date(0),
  ResourceArn: "a",
  TagKeys: ["k"],
  BlacklistItemNames: ["b"],
};

const packages = [
  ["@aws-sdk/client-sesv2", v2, v2Operations, () => new v2.SESv2Client(config), () => new v2.SESv2(config)],
  ["@aws-sdk/client-ses", v1, v1Operations, () => new v1.SESClient(config), () => new v1.SES(config)],
] as const;
const config = {
  region: "eu-west-1",
  endpoint: "http://127.0.0.1:1",
  maxAttempts: 1,
  credentials: { accessKeyId: "a", secretAccessKey: "b" },
};

describe.each(packages)("%s, as it is installed", (_name, sdk, table, plain, aggregated) => {
  const classes = sdk as unknown as Record<string, Command>;

  it("has no operation that nobody has judged", () => {
    expect(operationsOf(sdk).length).toBeGreaterThan(70);
    expect(unclassified(operationsOf(sdk), Object.fromEntries(table))).toEqual([]);
  });

  it("has no method on its clients but operations, paginators' and what starts and ends a client", () => {
    const own = ["destroy", "send"];
    const names = methodsOf(aggregated()).filter((name) => !name.includes("."));
    const expected = operationsOf(sdk).map((name) => `${name.slice(0, 1).toLowerCase()}${name.slice(1)}`);
    expect(names.filter((name) => !expected.includes(name) && !/^(?:paginate|waitUntil)/.test(name)).sort()).toEqual(
      own,
    );
    expect(
      methodsOf(plain())
        .filter((name) => !name.includes("."))
        .sort(),
    ).toEqual(own);
  });

  it.each([...table])("%s is classed as %s, in the middleware and on the wire", async (operation, kind) => {
    const client = plain();
    const gate = scriptedGate();
    const attachment = (sesAdapter() as Adapter<object>).attach(client, gate);
    onTestFinished(() => attachment.detach());
    const wanted = kind === "identity" ? "system" : kind;
    const type = classes[`${operation}Command`] as Command;
    // Whatever passes is held against the wire in the last step; a mail that is read differently there is refused.
    const error: unknown = await (client.send as (command: object) => Promise<unknown>)(new type({ ...input })).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(gate.intents.map((intent) => intent.kind)).toEqual([wanted]);
    expect((error as { code?: string }).code).not.toMatch(/^[A-Z]+_[A-Z_]+$/);
  });
});

it("knows the route of every operation of v2", async () => {
  const { v2Routes } = await import("../../adapters/ses/operations");
  for (const operation of operationsOf(v2)) {
    const type = (v2 as unknown as Record<string, Command>)[`${operation}Command`] as Command;
    const [method = "", path = ""] = new type({}).schema[3].http ?? [];
    expect(v2Routes.find(method, path.replace(/\{\w+\}/g, "x"))?.value).toBe(operation);
  }
});

it("would fail with an operation more, at run time and when it is compiled", () => {
  const newer = { ...v2, SendNewsletterCommand: class {} };
  expect(unclassified(operationsOf(newer), Object.fromEntries(v2Operations))).toEqual([
    "SendNewsletter is in no table: say what it does",
  ]);
  // @ts-expect-error: SendNewsletter is missing
  none<Missing<typeof newer, V2Operation>>() satisfies true;
});
