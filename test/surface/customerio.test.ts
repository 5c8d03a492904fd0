import * as four from "customerio-node";
import * as five from "customerio-node-5";
import { describe, expect, it } from "vitest";
import { type CustomerioClient, customerioAdapter } from "../../adapters/customerio";
import { startEndpoint } from "../support/endpoint";
import { hold } from "../support/gates";
import { PlainAgent } from "../support/plain-agent";
import { type Methods, methodsOf, unclassified } from "./methods";

/** What a method's request is classed as; `generic` ones take any request, `local` ones make none. */
type Kind = "send" | "audience" | "system" | "management" | "read" | "generic" | "local";

/** What the types show, without the part that takes any request. */
type Shown<Client> = Exclude<Methods<Client>, `request.${string}`>;

/** A method that a new version adds fails to compile here, and fails below. Texts name a standing copy here. */
const appFive = {
  batchUpdateAttributes: "management",
  batchUpdateEvents: "management",
  createAsset: "management",
  createAssetFolder: "management",
  createCollection: "management",
  createCustomersExport: "management",
  createDeliveriesExport: "management",
  createDesignStudioComponent: "management",
  createDesignStudioEmail: "management",
  createDesignStudioEmailLanguage: "management",
  createDesignStudioFolder: "management",
  createImport: "audience",
  createNewsletter: "management",
  createNewsletterLanguage: "system",
  createNewsletterTestGroup: "management",
  createNewsletterTestGroupLanguage: "system",
  createReportingWebhook: "management",
  createSegment: "management",
  createSnippet: "management",
  createSuppression: "management",
  deleteAsset: "management",
  deleteAssetFolder: "management",
  deleteCollection: "management",
  deleteDesignStudioComponent: "management",
  deleteDesignStudioEmail: "management",
  deleteDesignStudioEmailLanguage: "management",
  deleteDesignStudioFolder: "management",
  deleteNewsletter: "management",
  deleteNewsletterLanguage: "management",
  deleteNewsletterTestGroupLanguage: "management",
  deleteReportingWebhook: "management",
  deleteSegment: "management",
  deleteSnippet: "management",
  deleteSuppression: "management",
  downloadExport: "read",
  findObjects: "read",
  getArchivedMessage: "read",
  getAsset: "read",
  getAssetFolder: "read",
  getAttributes: "read",
  getBroadcast: "read",
  getBroadcastAction: "read",
  getBroadcastActionLanguage: "read",
  getBroadcastActionMetrics: "read",
  getBroadcastActionMetricsLinks: "read",
  getBroadcastActions: "read",
  getBroadcastMessages: "read",
  getBroadcastMetrics: "read",
  getBroadcastMetricsLinks: "read",
  getBroadcastTriggerErrors: "read",
  getBroadcastTriggerStatus: "read",
  getBroadcastTriggers: "read",
  getCampaign: "read",
  getCampaignAction: "read",
  getCampaignActionLanguage: "read",
  getCampaignActionMetrics: "read",
  getCampaignActionMetricsLinks: "read",
  getCampaignActions: "read",
  getCampaignJourneyMetrics: "read",
  getCampaignMessages: "read",
  getCampaignMetrics: "read",
  getCampaignMetricsLinks: "read",
  getCollection: "read",
  getCollectionContent: "read",
  getCustomerActivities: "read",
  getCustomerMessages: "read",
  getCustomerRelationships: "read",
  getCustomerSegments: "read",
  getCustomerSubscriptionPreferences: "read",
  getCustomersAttributes: "read",
  getCustomersByEmail: "read",
  getDesignStudioComponent: "read",
  getDesignStudioEmail: "read",
  getDesignStudioEmailLanguage: "read",
  getDesignStudioFolder: "read",
  getDomainSuppressions: "read",
  getExport: "read",
  getImport: "read",
  getIpAddresses: "read",
  getMessage: "read",
  getMessages: "read",
  getNewsletter: "read",
  getNewsletterContent: "read",
  getNewsletterContentMetrics: "read",
  getNewsletterContentMetricsLinks: "read",
  getNewsletterContents: "read",
  getNewsletterLanguage: "read",
  getNewsletterMessages: "read",
  getNewsletterMetrics: "read",
  getNewsletterMetricsLinks: "read",
  getNewsletterTestGroupLanguage: "read",
  getNewsletterTestGroups: "read",
  getObjectAttributes: "read",
  getObjectRelationships: "read",
  getReportingWebhook: "read",
  getSegment: "read",
  getSegmentCustomerCount: "read",
  getSegmentMembership: "read",
  getSegmentUsedBy: "read",
  getSenderIdentities: "read",
  getSenderIdentity: "read",
  getSenderIdentityUsedBy: "read",
  getSnippets: "read",
  getSubscriptionCenterToken: "read",
  getSuppressions: "read",
  getTransactionalMessage: "read",
  getTransactionalMessageContents: "read",
  getTransactionalMessageDeliveries: "read",
  getTransactionalMessageLanguage: "read",
  getTransactionalMessageLinkMetrics: "read",
  getTransactionalMessageMetrics: "read",
  listActivities: "read",
  listAssetFolders: "read",
  listAssets: "read",
  listBroadcasts: "read",
  listCampaigns: "read",
  listCollections: "read",
  listDesignStudioComponents: "read",
  listDesignStudioEmailLanguages: "read",
  listDesignStudioEmails: "read",
  listDesignStudioFolders: "read",
  listExports: "read",
  listNewsletters: "read",
  listObjectTypes: "read",
  listReportingWebhooks: "read",
  listSegments: "read",
  listSubscriptionChannels: "read",
  listSubscriptionTopics: "read",
  listTransactionalMessages: "read",
  listWorkspaces: "read",
  scheduleNewsletter: "audience",
  searchCustomers: "read",
  searchSuppression: "read",
  sendEmail: "send",
  sendInApp: "system",
  sendInboxMessage: "system",
  sendNewsletter: "audience",
  sendPush: "system",
  sendSMS: "system",
  sendWhatsApp: "system",
  triggerBroadcast: "audience",
  updateAsset: "management",
  updateAssetFolder: "management",
  updateBroadcastAction: "audience",
  updateBroadcastActionLanguage: "audience",
  updateCampaignAction: "audience",
  updateCampaignActionLanguage: "audience",
  updateCollection: "management",
  updateCollectionContent: "management",
  updateDesignStudioComponent: "management",
  updateDesignStudioEmail: "management",
  updateDesignStudioEmailLanguage: "management",
  updateDesignStudioFolder: "management",
  updateNewsletterContent: "system",
  updateNewsletterLanguage: "system",
  updateNewsletterTestGroupLanguage: "system",
  updateReportingWebhook: "management",
  updateSnippet: "management",
  updateTransactionalMessageContent: "system",
  updateTransactionalMessageLanguage: "system",
} as const satisfies Record<Shown<five.APIClient>, Kind>;

const trackFive = {
  addCustomersToSegment: "management",
  addDevice: "management",
  batch: "audience",
  deleteDevice: "management",
  destroy: "management",
  entity: "audience",
  getAccountRegion: "read",
  identify: "management",
  mergeCustomers: "management",
  removeCustomersFromSegment: "management",
  reportMetric: "management",
  submitForm: "audience",
  suppress: "management",
  track: "audience",
  trackAnonymous: "audience",
  trackPageView: "audience",
  trackPush: "management",
  unsubscribe: "management",
  unsuppress: "management",
} as const satisfies Record<Shown<five.TrackClient>, Kind>;

const pipelinesFive = {
  alias: "management",
  batch: "audience",
  group: "management",
  identify: "management",
  page: "audience",
  screen: "audience",
  track: "audience",
} as const satisfies Record<Shown<five.PipelinesClient>, Kind>;

const appFour = {
  createCustomersExport: "management",
  createDeliveriesExport: "management",
  downloadExport: "read",
  getAttributes: "read",
  getCustomersByEmail: "read",
  getExport: "read",
  listExports: "read",
  sendEmail: "send",
  sendInApp: "system",
  sendInboxMessage: "system",
  sendPush: "system",
  sendSMS: "system",
  triggerBroadcast: "audience",
} as const satisfies Record<Shown<four.APIClient>, Kind>;

const trackFour = {
  addDevice: "management",
  deleteDevice: "management",
  destroy: "management",
  identify: "management",
  mergeCustomers: "management",
  suppress: "management",
  track: "audience",
  trackAnonymous: "audience",
  trackPageView: "audience",
  trackPush: "management",
  unsuppress: "management",
} as const satisfies Record<Shown<four.TrackClient>, Kind>;

/** What is there beside them. */
const inside: Readonly<Record<string, Kind>> = {
  "request.destroy": "generic",
  "request.get": "generic",
  "request.handler": "generic",
  "request.options": "local",
  "request.post": "generic",
  "request.put": "generic",
};
const insideFive: Readonly<Record<string, Kind>> = {
  ...inside,
  "request.computeBackoff": "local",
  "request.execute": "generic",
  "request.formOptions": "local",
  "request.isRetryable": "local",
  "request.postForm": "generic",
  "request.retryAfterDelay": "local",
  "request.sleep": "local",
};

interface Surface {
  readonly name: string;
  readonly documented: Readonly<Record<string, Kind>>;
  readonly hidden: Readonly<Record<string, Kind>>;
  client(url?: string): CustomerioClient;
}

const nowhere = "http://127.0.0.1:9";
const surfaces: readonly Surface[] = [
  {
    name: "APIClient of 5",
    documented: appFive,
    hidden: { ...insideFive, resourceBase: "local" },
    client: (url = nowhere) => new five.APIClient("key", { url: `${url}/v1` }),
  },
  {
    name: "TrackClient of 5",
    documented: trackFive,
    hidden: insideFive,
    client: (url = nowhere) => new five.TrackClient("site", "key", { url: `${url}/api/v1` }),
  },
  {
    name: "PipelinesClient of 5",
    documented: pipelinesFive,
    hidden: { ...insideFive, envelope: "local" },
    client: (url = nowhere) => new five.PipelinesClient("key", { url: `${url}/v1` }),
  },
  {
    name: "APIClient of 4",
    documented: appFour,
    hidden: inside,
    client: (url = nowhere) => new four.APIClient("key", { agent: new PlainAgent(url) } as never),
  },
  {
    name: "TrackClient of 4",
    documented: trackFour,
    hidden: inside,
    client: (url = nowhere) => new four.TrackClient("site", "key", { agent: new PlainAgent(url) } as never),
  },
];

/** Arguments that a method takes; where none are named, ids and then a body. */
const body = {
  name: "x",
  event: "x",
  bcc: "ann@acme.test",
  userId: "7",
  previousId: "6",
  groupId: "5",
  delivery_id: "d",
  email: "ann@acme.test",
  action: "event",
  identifiers: { email: "ann@acme.test" },
};
const special: Readonly<Record<string, readonly unknown[]>> = {
  triggerBroadcast: [1, {}, { emails: ["ann@acme.test"] }],
  mergeCustomers: ["id", "1", "id", "2"],
  trackPageView: ["7", "/x"],
  addDevice: ["7", "d", "ios", {}],
  deleteDevice: ["7", "d"],
  batch: [[{ type: "track", action: "event", name: "x", event: "x" }]],
  getCustomersAttributes: [["1"]],
  batchUpdateAttributes: [[body]],
  batchUpdateEvents: [[body]],
  addCustomersToSegment: [1, ["1"]],
  removeCustomersFromSegment: [1, ["1"]],
  createDesignStudioEmail: [body],
  createDesignStudioComponent: [{ ...body, tag: "x" }],
  getAttributes: ["1"],
  getCampaignJourneyMetrics: ["1", { start: 1, end: 2, res: "days" }],
  getCustomerSegments: ["1"],
  getDomainSuppressions: ["acme.test", "bounces"],
  getObjectAttributes: ["1", "2"],
  createReportingWebhook: [{ ...body, endpoint: "https://acme.test", events: ["x"] }],
  createSnippet: [{ ...body, value: "x" }],
  updateSnippet: [{ ...body, value: "x" }],
  createImport: [{ ...body, data_file_url: "https://acme.test/x", type: "people", identifier: "id" }],
  createCollection: [{ ...body, data: [{}] }],
  createDesignStudioEmailLanguage: ["1", { language: "de", content: "x" }],
  createAsset: [{ filename: "a.png", data: new Blob(["x"]) }],
  updateCollectionContent: [1, [{}]],
};

function argumentsOf(client: object, name: string): readonly unknown[] {
  const request = /^send(Email|Push|SMS|WhatsApp|InboxMessage|InApp)$/.exec(name)?.[1];
  if (request) {
    const from = "pipelinesRoot" in client || "getSegment" in client ? five : four;
    const Made = (from as unknown as Record<string, new (body: object) => object>)[`Send${request}Request`];
    return Made ? [new Made({ to: "ann@acme.test", identifiers: { id: 1 } })] : [];
  }
  if (special[name]) return special[name];
  const source = String((Object.getPrototypeOf(client) as Record<string, unknown>)[name]);
  const names = source.slice(source.indexOf("(") + 1, source.indexOf(")")).split(",");
  return names.map((one) => (/^\s*(?:\w*id|\w*type|language|email|name)\s*(?:=|$)/i.test(one) ? "1" : body));
}

describe.each(surfaces)("$name, as it is installed", ({ documented, hidden, client }) => {
  const table = { ...documented, ...hidden };

  it("has no method that nobody has judged", () => {
    expect(unclassified(methodsOf(client()), table)).toEqual([]);
  });

  it("would fail with a method more", () => {
    const newer = Object.assign(client(), { blast: async () => {} });
    expect(unclassified(methodsOf(newer), table)).toEqual(["blast is in no table: say what it does"]);
  });

  it.each(Object.entries(documented))("%s makes a request that is classed as %s", async (name, kind) => {
    const endpoint = await startEndpoint();
    try {
      const { client: c, gate } = hold(client(endpoint.url), customerioAdapter());
      const call = (c as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>)[name];
      await call?.apply(c, [...argumentsOf(c, name)]).catch(() => {});
      expect(gate.calls.map(({ intent }) => intent.kind)).toEqual([kind]);
    } finally {
      await endpoint.close();
    }
  });
});

describe("customerio-node", () => {
  it("would not compile with a method more", () => {
    class Newer extends five.APIClient {
      async blast(): Promise<void> {}
    }
    // @ts-expect-error: blast is missing
    appFive satisfies Record<Shown<Newer>, Kind>;
  });

  it("exports no other client", () => {
    const classes = (module: object) =>
      Object.keys(module)
        .filter((name) => name.endsWith("Client"))
        .sort();
    expect(classes(four)).toEqual(["APIClient", "TrackClient"]);
    expect(classes(five)).toEqual(["APIClient", "PipelinesClient", "TrackClient"]);
  });
});
