/**
 * mailfuse: a fuse for outgoing mail.
 *
 * @module
 */
export type { Adapter, Attachment, Call, Commit, Fate, Gate, Intent, Outcome, Permit, RedirectNote } from "./adapter";
export type { Alert } from "./alerts";
export type { AddressCheck, CheckRequest } from "./check";
export type { Clock } from "./clock";
export type {
  ApproverConfig,
  CapConfig,
  ClaimAnswer,
  ClaimConfig,
  ClaimPerson,
  ClaimQuestion,
  ConfirmConfig,
  ContentConfig,
  ContentLevelConfig,
  DefaultsConfig,
  Duration,
  EnvironmentConfig,
  FreshnessConfig,
  FuseConfig,
  LedgerConfig,
  MatchConfig,
  OnNotAllowed,
  PasskeyConfig,
  PendingPlan,
  PersonCapConfig,
  PurposeConfig,
  RetentionConfig,
  StandardResult,
  StandardSchema,
} from "./config";
export type { Captured } from "./core";
export type { Description } from "./describe";
export type { DrillResult } from "./drill";
export { type ErrorCode, errorCodes, MailfuseError, type Refusal } from "./errors";
export { createFuse, type Fuse } from "./fuse";
export type { Diversion, Explain, Guard, Mode, Next, Part, Receipt, Send, SendContext, Spend } from "./guard";
export type { HaltRequest } from "./halting";
export type {
  CorrectionPerson,
  CorrectionRequest,
  Incident,
  IncidentData,
  IncidentDrafts,
  IncidentMoment,
  IncidentOptions,
  IncidentPeople,
  IncidentScope,
  IncidentStep,
  IncidentStop,
} from "./ledger/incident";
export type {
  Exported,
  ExportOptions,
  Forget,
  Ledger,
  LedgerEntry,
  Retained,
  TailOptions,
  VerifyOptions,
} from "./ledger/ledger";
export type { Head, LedgerProblem, Verdict } from "./ledger/verdict";
export type { ExpectedHead } from "./ledger/verify";
export { verifyExport } from "./ledger/verify-export";
export type { Logger } from "./log";
export type { Content, Field, Message, Recipient } from "./message";
export type { Requirement } from "./plan/approvals";
export type { Decided, RejectRequest } from "./plan/decisions";
export type { MailsRequest, PlannedEntry, PlannedMail } from "./plan/mails";
export type { Plan } from "./plan/plan";
export type { PlanState, Terms } from "./plan/record";
export type { PlanJob, PlanRequest, PlanSource } from "./plan/rehearse";
export type { ReleaseOptions, ReleaseResult } from "./plan/release";
export { generateKeys, signToken, type TokenRequest } from "./plan/sign";
export { summaryHtml, summaryText } from "./plan/summary/show";
export type {
  PlanSummary,
  SampleReason,
  SummaryCount,
  SummarySample,
  SummaryVariant,
} from "./plan/summary/types";
export type { Delivered } from "./plan/telling";
export type { Tempo } from "./plan/tempo";
export type { Decision } from "./plan/token-form";
export type { PlanView } from "./plan/view";
export type { CapUsage, RecentRefusal, Status } from "./status";
export {
  acknowledgedGap,
  type CapSpend,
  type EntryClaim,
  type EntryState,
  type HaltRecord,
  type LedgerLine,
  type OnceClaim,
  type OnceRecord,
  type PlanChange,
  type PlanChangeAnswer,
  type PlanRow,
  type RateSpend,
  type Reservation,
  type ReserveAnswer,
  type Settlement,
  type SpoolEntry,
  type Store,
  type StoreFacts,
} from "./store";
export { memoryStore } from "./stores/memory";
export type { SuggestedPurpose, Suggestion } from "./suggest";
