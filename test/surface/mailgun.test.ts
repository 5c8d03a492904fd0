import FormData from "form-data";
import Mailgun from "mailgun.js";
import { describe, expect, it, onTestFinished } from "vitest";
import { mailgunAdapter } from "../../adapters/mailgun";
import { scriptedGate } from "../../src/testing/gate";
import { startRecorder } from "../../src/testing/recorder";
import { type Methods, methodsOf, unclassified } from "./methods";

type MailgunClient = ReturnType<Mailgun["client"]>;

/**
 * What a method's request is classed as. `unknown` ones are refused, `generic` ones take any request
 * and are judged by it, `local` ones make none.
 */
type Kind = "send" | "audience" | "system" | "management" | "read" | "unknown" | "generic" | "local";

const paging = {
  parseList: "local",
  parsePage: "local",
  parsePageLinks: "local",
  requestListWithPages: "read",
  updateUrlAndQuery: "local",
} as const;
const files = {
  convertToFDexpectedShape: "local",
  getAttachmentInfo: "local",
  getAttachmentOptions: "local",
  getBlobFromStream: "local",
  getBufferInfo: "local",
  getCustomFileInfo: "local",
  getFileInfo: "local",
  isBrowserFile: "local",
  isBuffer: "local",
  isCustomFile: "local",
  isStream: "local",
} as const;

/** Every method of mailgun.js, by sub-client. */
const groups = {
  accountManagement: {
    addSandboxAuthorizedRecipient: "system",
    createWebhookSigningKey: "management",
    getSandboxAuthorizedRecipients: "read",
    getWebhookSigningKey: "read",
    removeSandboxAuthorizedRecipient: "management",
    resendActivationEmail: "system",
    updateAccountFeature: "management",
    updateAccountSettings: "management",
  },
  apiKeys: {
    create: "management",
    destroy: "management",
    list: "read",
    parseItem: "local",
    prepareList: "local",
    regeneratePublicKey: "management",
  },
  bounceClassification: { list: "read", parseQuery: "local", parseResponse: "local", prepareDate: "local" },
  customMessageLimit: { destroy: "management", enable: "management", get: "read", set: "management" },
  dkimManagement: { prepareBooleanValues: "local", rotateImmediately: "management", update: "management" },
  domains: {
    _handleBoolValues: "local",
    _parseDomain: "local",
    _parseMessage: "local",
    assignIp: "management",
    create: "management",
    deleteIp: "management",
    destroy: "management",
    get: "read",
    getConnection: "read",
    getIps: "read",
    getTracking: "read",
    linkIpPool: "management",
    list: "read",
    parseDomainList: "local",
    unlinkIpPoll: "management",
    update: "management",
    updateConnection: "management",
    updateDKIMAuthority: "management",
    updateDKIMSelector: "management",
    updateTracking: "management",
    updateWebPrefix: "management",
    verify: "management",
  },
  "domains.domainCredentials": {
    _parseDeletedResponse: "local",
    _parseDomainCredentialsList: "local",
    _parseMessageResponse: "local",
    create: "management",
    destroy: "management",
    destroyAll: "management",
    list: "read",
    update: "management",
  },
  "domains.domainKeys": {
    ...paging,
    _parseDomainKeysList: "local",
    activate: "management",
    create: "management",
    deactivate: "management",
    destroy: "management",
    list: "read",
    listAll: "read",
    updateDKIMAuthority: "management",
    updateDKIMSelector: "management",
  },
  "domains.domainTags": {
    ...paging,
    _parseTagStatistic: "local",
    countries: "read",
    destroy: "management",
    devices: "read",
    get: "read",
    list: "read",
    providers: "read",
    statistic: "read",
    update: "management",
  },
  "domains.domainTemplates": {
    ...paging,
    create: "management",
    createVersion: "management",
    destroy: "management",
    destroyAll: "management",
    destroyVersion: "management",
    get: "read",
    getVersion: "read",
    list: "read",
    listVersions: "read",
    parseCreationResponse: "local",
    parseCreationVersionResponse: "local",
    parseListTemplateVersions: "local",
    parseMutateTemplateVersionResponse: "local",
    parseMutationResponse: "local",
    parseNotificationResponse: "local",
    update: "management",
    updateVersion: "management",
  },
  "domains.domainTracking": {
    _isOpenTrackingInfoWitPlace: "local",
    _parseTrackingSettings: "local",
    _parseTrackingUpdate: "local",
    generate: "management",
    get: "read",
    getTracking: "read",
    regenerate: "management",
    updateTracking: "management",
  },
  events: { ...paging, get: "read" },
  "inboxPlacements.providers": { list: "read", parseList: "local" },
  "inboxPlacements.results.attributes": { get: "read", list: "read" },
  "inboxPlacements.results": {
    ...paging,
    convertDateToUTC: "local",
    destroy: "management",
    get: "read",
    getResultByShareId: "read",
    list: "read",
    prepareInboxPlacementsResult: "local",
    prepareQueryData: "local",
  },
  "inboxPlacements.results.filters": { list: "read" },
  "inboxPlacements.results.sharing": {
    get: "read",
    prepareInboxPlacementsResultSharing: "local",
    update: "management",
  },
  inboxPlacements: { runTest: "audience" },
  "inboxPlacements.seedsLists.attributes": { get: "read", list: "read" },
  "inboxPlacements.seedsLists": {
    ...paging,
    convertDateToUTC: "local",
    create: "management",
    destroy: "management",
    get: "read",
    list: "read",
    prepareQueryData: "local",
    prepareResult: "local",
    prepareSeedList: "local",
    update: "management",
  },
  "inboxPlacements.seedsLists.filters": { list: "read" },
  ip_pools: {
    addIp: "management",
    addIps: "management",
    create: "management",
    delegate: "management",
    destroy: "management",
    get: "read",
    isValidIp: "local",
    linkedDomains: "read",
    list: "read",
    removeDomainPool: "management",
    removeIp: "management",
    removeIpFromDomainPool: "management",
    revokeDelegation: "management",
    unlinkDomainPool: "management",
    update: "management",
  },
  ips: { get: "read", list: "read", parseIpsResponse: "local" },
  lists: {
    ...paging,
    cancelValidation: "management",
    create: "unknown",
    destroy: "management",
    get: "read",
    list: "read",
    listByAddress: "read",
    parseValidationResult: "local",
    update: "unknown",
    validate: "management",
    validateQuery: "local",
    validationResult: "read",
  },
  "lists.members": {
    ...paging,
    checkAndUpdateData: "local",
    createMember: "unknown",
    createMembers: "unknown",
    destroyMember: "management",
    getMember: "read",
    listMembers: "read",
    listMembersByAddress: "read",
    updateMember: "unknown",
    upload: "unknown",
  },
  logs: { list: "read", parseListResponse: "local", parseQuery: "local", prepareDate: "local", validateQuery: "local" },
  messages: {
    _parseResponse: "local",
    clearMessagesQueue: "management",
    create: "send",
    getMessagesQueueStatus: "read",
    prepareBooleanValues: "local",
    resendEmail: "unknown",
    retrieveStoredEmail: "read",
  },
  metrics: {
    convertDateToUTC: "local",
    getAccount: "read",
    getAccountUsage: "read",
    handleResponse: "local",
    prepareQuery: "local",
  },
  request: {
    command: "generic",
    delete: "generic",
    deleteWithFD: "generic",
    get: "generic",
    patchWithFD: "generic",
    post: "generic",
    postWithFD: "generic",
    put: "generic",
    putWithFD: "generic",
    query: "generic",
    request: "generic",
    resetSubaccountHeader: "local",
    setSubaccountHeader: "local",
  },
  "request.formDataBuilder": {
    FormDataConstructor: "local",
    addCommonPropertyToFD: "local",
    addFilesToFD: "local",
    addMimeDataToFD: "local",
    createFormData: "local",
    isFormDataPackage: "local",
    isMIME: "local",
    isMessageAttachment: "local",
  },
  "request.formDataBuilder.attachmentsHandler": files,
  "request.requestProvider": {
    addRequestLevelHeaders: "local",
    getDataRelatedHeaders: "local",
    getResponseBody: "local",
    makeHeadersFromObject: "local",
    makeRequest: "generic",
    resetSubAccountHeader: "local",
    setSubAccountHeader: "local",
  },
  "": { resetSubaccount: "local", setSubaccount: "local" },
  routes: {
    create: "unknown",
    destroy: "management",
    get: "read",
    list: "read",
    matchAddress: "read",
    update: "unknown",
  },
  stats: {
    convertDateToUTC: "local",
    getAccount: "read",
    getDomain: "read",
    parseStats: "local",
    prepareSearchParams: "local",
  },
  subaccounts: {
    convertToDate: "local",
    create: "management",
    destroy: "management",
    disable: "management",
    enable: "management",
    get: "read",
    getMonthlySendingLimit: "read",
    list: "read",
    setMonthlySendingLimit: "management",
    updateSubaccountFeature: "management",
  },
  suppressions: {
    ...paging,
    _parseItem: "local",
    create: "management",
    createUnsubscribe: "management",
    createWhiteList: "management",
    destroy: "management",
    destroyAll: "management",
    get: "read",
    getModel: "local",
    list: "read",
    prepareResponse: "local",
    upload: "management",
  },
  tags: { destroy: "management", limits: "read", list: "read", parseListResponse: "local", update: "management" },
  validate: { get: "read" },
  "validate.multipleValidation.attachmentsHandler": files,
  "validate.multipleValidation": {
    ...paging,
    convertToExpectedShape: "local",
    create: "management",
    destroy: "management",
    get: "read",
    handleResponse: "local",
    list: "read",
  },
  webhooks: {
    _parseWebhookList: "local",
    _parseWebhookTest: "local",
    _parseWebhookWithID: "local",
    create: "management",
    destroy: "management",
    get: "read",
    list: "read",
    update: "management",
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Kind>>>>;

type Groups = typeof groups;
type Flat<Path extends keyof Groups = keyof Groups> = Path extends keyof Groups
  ? Path extends ""
    ? keyof Groups[Path] & string
    : `${Path}.${keyof Groups[Path] & string}`
  : never;

const table = Object.fromEntries(
  Object.entries(groups).flatMap(([path, methods]) =>
    Object.entries(methods).map(([name, kind]) => [path === "" ? name : `${path}.${name}`, kind] as const),
  ),
) as Record<Flat, Kind>;

/** Arguments that differ from a domain, an id and texts. */
const date = new Date(0);
const address = { address: "ann@customers.test" };
const given: Readonly<Record<string, readonly unknown[]>> = {
  "accountManagement.updateAccountSettings": [{ name: "Acme" }],
  "accountManagement.updateAccountFeature": [{ ai_insights: { enabled: true } }],
  "domains.create": [{ name: "acme.test" }],
  "domains.domainKeys.create": [{ signingDomain: "acme.test", selector: "s" }],
  "domains.domainKeys.updateDKIMAuthority": ["acme.test", { self: "true" }],
  "domains.unlinkIpPoll": ["acme.test", { pool_id: "p" }],
  "ip_pools.removeIpFromDomainPool": ["acme.test", "127.0.0.1"],
  "lists.list": [{ limit: 1 }],
  "logs.list": [{ start: date, end: date }],
  "bounceClassification.list": [{ start: date, end: date }],
  "messages.create": ["acme.test", { from: "a@acme.test", to: address.address, text: "t" }],
  "messages.clearMessagesQueue": ["acme.test", "storage-us-east4.api.mailgun.net"],
  "suppressions.create": ["acme.test", "bounces", address],
  "suppressions.createUnsubscribe": ["acme.test", address],
  "suppressions.createWhiteList": ["acme.test", address],
  "suppressions.destroy": ["acme.test", "bounces", address.address],
  "suppressions.destroyAll": ["acme.test", "bounces"],
  "suppressions.get": ["acme.test", "bounces", address.address],
  "suppressions.list": ["acme.test", "bounces"],
  "suppressions.upload": ["acme.test", "bounces", "address\n"],
  "validate.multipleValidation.create": ["list", { file: "address\n" }],
  "lists.members.upload": ["list@acme.test", "address\n"],
  "lists.members.createMembers": ["list@acme.test", { members: [address], upsert: "yes" }],
};
const data = { name: "x", address: address.address, description: "d" };
/** Tried in turn until a request is made: many methods take ids where others take data. */
const some: readonly (readonly unknown[])[] = [
  ["acme.test", "id", data, data],
  ["acme.test", data, data],
  ["acme.test", "id", "id", data],
];
const page: readonly unknown[] = ["/v3/acme.test/things", { page: "next" }];

function clientTowards(url: string): MailgunClient {
  return new Mailgun(FormData).client({ username: "api", key: "key", url });
}

/** Sub-clients share one request object; under each of them it is the same. Loggers are the console. */
function ownMethods(client: MailgunClient): string[] {
  return methodsOf(client).filter((name) => !/\.request\.|\.logger\./.test(name));
}

describe("mailgun.js, as it is installed", () => {
  it("has no method that nobody has judged", () => {
    expect(unclassified(ownMethods(clientTowards("http://127.0.0.1:1")), table)).toEqual([]);
  });

  it("shares one request object between all its parts", () => {
    const client = clientTowards("http://127.0.0.1:1");
    const all = methodsOf(client).flatMap(
      (name) => /^(.*)\.request\.makeRequest$|^(.*)\.request\.postWithFD$/.exec(name)?.[2] ?? [],
    );
    expect(all.length).toBeGreaterThan(20);
    for (const path of all) expect(at(client, `${path}.request`)).toBe(at(client, "request"));
  });

  const requests = Object.entries(table).filter(([, kind]) => kind !== "local" && kind !== "generic");
  it.each(requests)("%s makes a request that is classed as %s", async (name, kind) => {
    const recorder = await startRecorder(() => ({ headers: { "content-type": "application/json" }, body: "{}" }));
    onTestFinished(() => recorder.close());
    const client = clientTowards(recorder.url);
    const silent = { warn() {} };
    for (const part of ["domains", "domains.domainTags", "events"])
      Object.assign(at(client, part) as object, { logger: silent });
    const gate = scriptedGate();
    // Nothing leaves this machine: absolute URLs of the provider are stopped here.
    const { pass } = gate;
    gate.pass = (call) => {
      if (name !== "messages.clearMessagesQueue") return pass(call);
      gate.calls.push(call as never);
      return Promise.reject(new Error("stop"));
    };
    if (kind !== "management" && kind !== "read") gate.verdict = { refuse: { code: "HALTED", message: "stop" } };
    const attachment = mailgunAdapter().attach(client, gate);
    onTestFinished(() => attachment.detach());
    const [path, method] = split(name);
    const owner = at(client, path) as Record<string, (...args: unknown[]) => unknown>;
    const own = given[name] ?? (method === "requestListWithPages" ? page : undefined);
    for (const args of own ? [own] : some) {
      await Promise.resolve()
        .then(() => owner[method]?.(...args))
        .catch(() => {});
      if (gate.calls.length > 0) break;
    }
    expect(gate.intents.map((intent) => intent.kind)).toEqual([kind]);
  });
});

it("methods that are said to make no request make none", async () => {
  const client = clientTowards("http://127.0.0.1:1");
  const gate = scriptedGate();
  const attachment = mailgunAdapter().attach(client, gate);
  onTestFinished(() => attachment.detach());
  for (const [name, kind] of Object.entries(table)) {
    if (kind !== "local") continue;
    const [path, method] = split(name);
    const owner = at(client, path) as Record<string, (...args: unknown[]) => unknown>;
    for (const args of some) {
      await Promise.resolve()
        .then(() => owner[method]?.(...args))
        .catch(() => {});
    }
  }
  expect(gate.calls).toEqual([]);
});

function split(name: string): [path: string, method: string] {
  const dot = name.lastIndexOf(".");
  return dot < 0 ? ["", name] : [name.slice(0, dot), name.slice(dot + 1)];
}

function at(client: object, path: string): unknown {
  return path === ""
    ? client
    : path.split(".").reduce<unknown>((object, key) => (object as Record<string, unknown>)[key], client);
}

it("would fail with a method more, at run time and when it is compiled", () => {
  const client = clientTowards("http://127.0.0.1:1");
  class Newer extends (client.messages.constructor as new (request: object) => object) {
    async sendNewsletter(): Promise<void> {}
  }
  Object.assign(client, { messages: new Newer({}) });
  expect(unclassified(ownMethods(client), table)).toContain("messages.sendNewsletter is in no table: say what it does");
  type More = MailgunClient & { newsletters: { send(): Promise<void> } };
  // @ts-expect-error: newsletters.send is missing
  table satisfies Record<Methods<More>, Kind>;
  table satisfies Record<Methods<MailgunClient>, Kind>;
});
