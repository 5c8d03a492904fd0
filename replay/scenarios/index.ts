import type { Scenario } from "../scenario";
import { staging } from "./01-staging";
import { testSend } from "./02-test-send";
import { filter } from "./03-filter";
import { refund } from "./04-refund";
import { admission } from "./05-admission";
import { merge } from "./06-merge";
import { visible } from "./07-visible";
import { replicas } from "./08-replicas";
import { oldQueue } from "./09-old-queue";
import { list } from "./10-list";
import { drift, rewording } from "./11-drift";
import { storm } from "./12-storm";
import { fixture } from "./13-fixture";
import { bigCampaign, reviewedRefund, surge } from "./14-controls";

export const scenarios: readonly Scenario[] = [
  ...[staging, testSend, filter, refund, admission, merge, visible, replicas, oldQueue, list, drift, rewording],
  ...[storm, fixture],
  ...[surge, bigCampaign, reviewedRefund],
];

/** The story after the fact: judged by the audience of its correction, so it is run by the drill. */
export const afterTheFact = { id: "15", title: "correcting a mistake that did get out" } as const;
