import * as sdk from "loops";
import { LoopsClient } from "loops";
import { describe, expect, it } from "vitest";
import { loopsAdapter } from "../../adapters/loops";
import type { Adapter } from "../../src/adapter";
import { startEndpoint } from "../support/endpoint";
import { hold } from "../support/gates";
import { type Methods, methodsOf, unclassified } from "./methods";

/** What a method's request is classed as; `generic` ones take any request. */
type Kind = "send" | "audience" | "system" | "management" | "read" | "generic";

/** What the types show. A method that a new version adds fails to compile here, and fails below. */
const documented = {
  addWorkflowBranch: "audience",
  changeWorkflowMailingList: "audience",
  checkContactSuppression: "read",
  completeUpload: "management",
  createAudienceSegment: "management",
  createCampaign: "audience",
  createCampaignGroup: "management",
  createComponent: "management",
  createContact: "management",
  createContactProperty: "management",
  createTheme: "management",
  createTransactionalEmail: "management",
  createTransactionalGroup: "management",
  createUpload: "management",
  createWorkflow: "management",
  createWorkflowNode: "audience",
  deleteContact: "management",
  deleteWorkflow: "management",
  deleteWorkflowNode: "audience",
  deleteWorkflowNodesRecursive: "audience",
  ensureTransactionalEmailDraft: "management",
  findContact: "read",
  getAudienceSegment: "read",
  getCampaign: "read",
  getCampaignGroup: "read",
  getComponent: "read",
  getEmailMessage: "read",
  getEventPattern: "read",
  getEventPatternByName: "read",
  getTheme: "read",
  getTransactionalEmail: "read",
  getTransactionalGroup: "read",
  getWorkflow: "read",
  getWorkflowNode: "read",
  listAudienceSegments: "read",
  listCampaignGroups: "read",
  listCampaigns: "read",
  listComponents: "read",
  listContactProperties: "read",
  listDedicatedSendingIps: "read",
  listEventPatterns: "read",
  listMailingLists: "read",
  listThemes: "read",
  listTransactionalEmails: "read",
  listTransactionalGroups: "read",
  listWorkflows: "read",
  publishTransactionalEmail: "management",
  removeContactSuppression: "management",
  rerouteWorkflowNode: "audience",
  runEmailMessageGuardian: "read",
  sendEmailMessagePreview: "send",
  sendEvent: "audience",
  sendTransactionalEmail: "send",
  testApiKey: "read",
  updateCampaign: "audience",
  updateCampaignGroup: "management",
  updateComponent: "management",
  updateContact: "management",
  // Names a standing copy here; without one it is management.
  updateEmailMessage: "system",
  updateTheme: "management",
  updateTransactionalEmail: "management",
  updateTransactionalGroup: "management",
  updateWorkflow: "management",
  updateWorkflowNode: "audience",
} as const satisfies Record<Methods<LoopsClient>, Kind>;

const table: Readonly<Record<string, Kind>> = { ...documented, _makeQuery: "generic" };

describe("loops, as it is installed", () => {
  it("has no method that nobody has judged", () => {
    expect(unclassified(methodsOf(new LoopsClient("key")), table)).toEqual([]);
  });

  it("exports no other way to send", () => {
    expect(Object.keys(sdk).sort()).toEqual(["APIError", "LoopsClient", "RateLimitExceededError", "ValidationError"]);
  });

  it("would fail with a method more, at run time and when it is compiled", () => {
    class Newer extends LoopsClient {
      async blast(): Promise<void> {}
    }
    expect(unclassified(methodsOf(new Newer("key")), table)).toEqual(["blast is in no table: say what it does"]);
    // @ts-expect-error: blast is missing
    documented satisfies Record<Methods<Newer>, Kind>;
  });

  const body = {
    email: "ann@acme.test",
    emails: ["ann@acme.test"],
    scheduling: { method: "now" },
    bccEmail: "a@b.test",
  };
  it.each(Object.entries(documented))("%s makes a request that is classed as %s", async (name, kind) => {
    const endpoint = await startEndpoint();
    try {
      const made = new LoopsClient("key");
      made.apiRoot = `${endpoint.url}/api/`;
      const { client, gate } = hold(made, loopsAdapter() as Adapter<LoopsClient>);
      const { length } = (LoopsClient.prototype as unknown as Record<string, unknown[]>)[name] as unknown[];
      // Ids come first, then the body; a contact is named by one of its two keys.
      const last = /Contact(?:Suppression)?$/.test(name) ? { email: "ann@acme.test" } : body;
      const takesIds = length === 1 && /^(?:get|publish|ensure|complete|run)/.test(name);
      const args = takesIds ? ["id"] : [...Array.from({ length: length - 1 }, () => "id"), last];
      const call = (client as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>)[name];
      await call?.apply(client, args).catch(() => {});
      expect(gate.calls.map(({ intent }) => intent.kind)).toEqual([kind]);
    } finally {
      await endpoint.close();
    }
  });
});
