/**
 * What a desk does its work with, in one place: it is loaded when a plan is first made or looked at,
 * so that an application that sends one by one starts without it.
 *
 * @module
 */
export { proceedPlan, rejectPlan, resendUnknown, revokePlan } from "./decisions";
export { dropPlan } from "./drop";
export { excludeFailed } from "./exclude";
export { findPlan, readRecord } from "./keep";
export { readMails } from "./mails";
export { makePlan, planOf } from "./plan";
export { confirmPlan, releasePlan } from "./release";
export { openSummary } from "./summary/seal";
export { viewPlan } from "./view";
