import { AccountClient, ServerClient } from "postmark";
import { describe, expect, it } from "vitest";
import { postmarkAdapter } from "../../adapters/postmark";
import type { Adapter } from "../../src/adapter";
import { startEndpoint } from "../support/endpoint";
import { hold } from "../support/gates";
import { type Methods, methodsOf, unclassified } from "./methods";

/**
 * What a method's request is classed as; `generic` methods take any request and are judged by it,
 * `local` ones make none, and a `closed` one is refused to whoever calls it.
 */
type Kind = "send" | "system" | "management" | "read" | "generic" | "local" | "closed";

/** `httpClient` is public by oversight: what is below it stands under `internal`. */
type Shown<Client> = Exclude<Methods<Client>, `httpClient.${string}`>;

/** What the types show. A method that a new version adds fails to compile here, and fails below. */
const server = {
  activateBounce: "management",
  archiveMessageStream: "management",
  bypassBlockedInboundMessage: "management",
  createInboundRuleTrigger: "management",
  createMessageStream: "management",
  createSuppressions: "management",
  createTemplate: "management",
  createWebhook: "management",
  deleteInboundRuleTrigger: "management",
  deleteSuppressions: "management",
  deleteTemplate: "management",
  deleteWebhook: "management",
  editMessageStream: "management",
  editServer: "management",
  editTemplate: "management",
  editWebhook: "management",
  getBounce: "read",
  getBounceCounts: "read",
  getBounceDump: "read",
  getBounces: "read",
  getBulkEmailStatus: "read",
  getClickBrowserUsage: "read",
  getClickCounts: "read",
  getClickLocation: "read",
  getClickPlatformUsage: "read",
  getClientOptions: "local",
  getDeliveryStatistics: "read",
  getEmailOpenClientUsage: "read",
  getEmailOpenCounts: "read",
  getEmailOpenPlatformUsage: "read",
  getEmailOpenReadTimes: "read",
  getInboundMessageDetails: "read",
  getInboundMessages: "read",
  getInboundRuleTriggers: "read",
  getMessageClicks: "read",
  getMessageClicksForSingleMessage: "read",
  getMessageOpens: "read",
  getMessageOpensForSingleMessage: "read",
  getMessageStream: "read",
  getMessageStreams: "read",
  getOutboundMessageDetails: "read",
  getOutboundMessageDump: "read",
  getOutboundMessages: "read",
  getOutboundOverview: "read",
  getSentCounts: "read",
  getServer: "read",
  getSpamComplaintsCounts: "read",
  getSuppressions: "read",
  getTemplate: "read",
  getTemplates: "read",
  getTrackedEmailCounts: "read",
  getWebhook: "read",
  getWebhooks: "read",
  retryInboundHookForMessage: "management",
  sendBulkEmail: "send",
  sendEmail: "send",
  sendEmailBatch: "send",
  sendEmailBatchWithTemplates: "send",
  sendEmailWithTemplate: "send",
  setClientOptions: "local",
  unarchiveMessageStream: "management",
  validateTemplate: "management",
} as const satisfies Record<Shown<ServerClient>, Kind>;

const account = {
  createDomain: "management",
  createSenderSignature: "system",
  createServer: "management",
  deleteDomain: "management",
  deleteSenderSignature: "management",
  deleteServer: "management",
  editDomain: "management",
  editSenderSignature: "management",
  editServer: "management",
  getClientOptions: "local",
  getDataRemovalStatus: "read",
  getDomain: "read",
  getDomains: "read",
  getSenderSignature: "read",
  getSenderSignatures: "read",
  getServer: "read",
  getServers: "read",
  pushTemplates: "management",
  requestDataRemoval: "system",
  requestNewDKIMForSenderSignature: "management",
  resendSenderSignatureConfirmation: "system",
  rotateDomainDKIM: "management",
  setClientOptions: "local",
  verifyDomainDKIM: "management",
  verifyDomainReturnPath: "management",
  verifyDomainSPF: "management",
  verifySenderSignatureSPF: "management",
} as const satisfies Record<Shown<AccountClient>, Kind>;

/** What they hide, and what is there all the same. */
const internal = {
  "errorHandler.buildError": "local",
  "errorHandler.buildErrorByHttpStatusCode": "local",
  getComposedHttpRequestHeaders: "local",
  "httpClient.adjustValue": "local",
  "httpClient.buildRequestError": "local",
  "httpClient.buildRequestURL": "local",
  "httpClient.buildTimeoutSignal": "local",
  "httpClient.client": "closed",
  "httpClient.errorHandler.buildError": "local",
  "httpClient.errorHandler.buildErrorByHttpStatusCode": "local",
  "httpClient.getBaseHttpRequestURL": "local",
  "httpClient.getRequestTimeoutInMilliseconds": "local",
  "httpClient.httpRequest": "generic",
  "httpClient.initHttpClient": "local",
  "httpClient.parseResponseBody": "local",
  "httpClient.serializeQueryParameters": "local",
  "httpClient.stringifyQueryValue": "local",
  "httpClient.transformError": "local",
  processCallbackRequest: "local",
  processHttpRequest: "generic",
  processRequest: "generic",
  processRequestWithBody: "generic",
  processRequestWithoutBody: "generic",
  setDefaultPaginationValues: "local",
  verifyToken: "local",
} as const satisfies Record<string, Kind>;

const clients = [
  ["ServerClient", ServerClient, { ...server, ...internal }],
  ["AccountClient", AccountClient, { ...account, ...internal }],
] as const;

describe.each(clients)("postmark's %s, as it is installed", (_name, Client, table: Readonly<Record<string, Kind>>) => {
  it("has no method that nobody has judged", () => {
    expect(unclassified(methodsOf(new Client("token")), table)).toEqual([]);
  });

  const judged = Object.entries(table).filter(([, kind]) => /^(?:send|system|management|read)$/.test(kind));
  it.each(judged)("%s makes a request that is classed as %s", async (name, kind) => {
    const endpoint = await startEndpoint();
    try {
      const { client, gate } = hold(
        new Client("token", { useHttps: false, requestHost: endpoint.host }),
        postmarkAdapter() as Adapter<object>,
      );
      // An id and a payload in one; every method takes a callback last.
      const some = () => ({ toString: () => "1" });
      const method = (client as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>)[name];
      const args = Array.from({ length: (method?.length ?? 1) - 1 }, some);
      await method?.apply(client, args).catch(() => {});
      expect(gate.calls.map(({ intent }) => intent.kind)).toEqual([kind]);
    } finally {
      await endpoint.close();
    }
  });
});

it("would fail with a method more, at run time and when it is compiled", () => {
  class Newer extends ServerClient {
    async sendNewsletter(): Promise<void> {}
  }
  expect(unclassified(methodsOf(new Newer("token")), { ...server, ...internal })).toEqual([
    "sendNewsletter is in no table: say what it does",
  ]);
  // @ts-expect-error: sendNewsletter is missing
  server satisfies Record<Shown<Newer>, Kind>;
  server satisfies Record<Shown<ServerClient>, Kind>;
});
