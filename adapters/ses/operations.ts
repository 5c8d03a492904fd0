/**
 * Every operation of the SES APIs, by name, and what it does. What no line names is refused.
 *
 * Sources: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_Operations.html and
 * https://docs.aws.amazon.com/ses/latest/APIReference/API_Operations.html
 *
 * @module
 */
import { Routes } from "../../src/adapter";

/** What an operation does. `identity` mails a person if the identity is an address. */
export type OperationKind = "send" | "system" | "identity" | "audience" | "management" | "read" | "unknown";

const v2 = {
  // Mails the people it names.
  send: {
    SendBulkEmail: "POST /v2/email/outbound-bulk-emails",
    SendEmail: "POST /v2/email/outbound-emails",
  },
  // SES itself mails people: verifications, and answers to a request for production access.
  system: {
    PutAccountDetails: "POST /v2/email/account/details",
    SendCustomVerificationEmail: "POST /v2/email/outbound-custom-verification-emails",
  },
  // A domain mails nobody; an address gets a verification.
  identity: {
    CreateEmailIdentity: "POST /v2/email/identities",
  },
  // Mails a list of seed addresses.
  audience: {
    CreateDeliverabilityTestReport: "POST /v2/email/deliverability-dashboard/test",
  },
  // Mails nobody.
  management: {
    AssociateEmailIdentityCertificate: "POST /v2/email/identity/certificates",
    CancelExportJob: "PUT /v2/email/export-jobs/*/cancel",
    CreateConfigurationSet: "POST /v2/email/configuration-sets",
    CreateConfigurationSetEventDestination: "POST /v2/email/configuration-sets/*/event-destinations",
    CreateContact: "POST /v2/email/contact-lists/*/contacts",
    CreateContactList: "POST /v2/email/contact-lists",
    CreateCustomVerificationEmailTemplate: "POST /v2/email/custom-verification-email-templates",
    CreateDedicatedIpPool: "POST /v2/email/dedicated-ip-pools",
    CreateEmailIdentityPolicy: "POST /v2/email/identities/*/policies/*",
    CreateEmailTemplate: "POST /v2/email/templates",
    CreateExportJob: "POST /v2/email/export-jobs",
    CreateImportJob: "POST /v2/email/import-jobs",
    CreateMultiRegionEndpoint: "POST /v2/email/multi-region-endpoints",
    CreateTenant: "POST /v2/email/tenants",
    CreateTenantResourceAssociation: "POST /v2/email/tenants/resources",
    DeleteConfigurationSet: "DELETE /v2/email/configuration-sets/*",
    DeleteConfigurationSetEventDestination: "DELETE /v2/email/configuration-sets/*/event-destinations/*",
    DeleteContact: "DELETE /v2/email/contact-lists/*/contacts/*",
    DeleteContactList: "DELETE /v2/email/contact-lists/*",
    DeleteCustomVerificationEmailTemplate: "DELETE /v2/email/custom-verification-email-templates/*",
    DeleteDedicatedIpPool: "DELETE /v2/email/dedicated-ip-pools/*",
    DeleteEmailIdentity: "DELETE /v2/email/identities/*",
    DeleteEmailIdentityPolicy: "DELETE /v2/email/identities/*/policies/*",
    DeleteEmailTemplate: "DELETE /v2/email/templates/*",
    DeleteMultiRegionEndpoint: "DELETE /v2/email/multi-region-endpoints/*",
    DeleteSuppressedDestination: "DELETE /v2/email/suppression/addresses/*",
    DeleteTenant: "POST /v2/email/tenants/delete",
    DeleteTenantResourceAssociation: "POST /v2/email/tenants/resources/delete",
    DisassociateEmailIdentityCertificate: "POST /v2/email/identity/certificates/delete",
    PutAccountDedicatedIpWarmupAttributes: "PUT /v2/email/account/dedicated-ips/warmup",
    PutAccountPricingAttributes: "PUT /v2/email/account/pricing-attributes",
    PutAccountSendingAttributes: "PUT /v2/email/account/sending",
    PutAccountSuppressionAttributes: "PUT /v2/email/account/suppression",
    PutAccountVdmAttributes: "PUT /v2/email/account/vdm",
    PutConfigurationSetArchivingOptions: "PUT /v2/email/configuration-sets/*/archiving-options",
    PutConfigurationSetDeliveryOptions: "PUT /v2/email/configuration-sets/*/delivery-options",
    PutConfigurationSetReputationOptions: "PUT /v2/email/configuration-sets/*/reputation-options",
    PutConfigurationSetSendingOptions: "PUT /v2/email/configuration-sets/*/sending",
    PutConfigurationSetSuppressionOptions: "PUT /v2/email/configuration-sets/*/suppression-options",
    PutConfigurationSetTrackingOptions: "PUT /v2/email/configuration-sets/*/tracking-options",
    PutConfigurationSetVdmOptions: "PUT /v2/email/configuration-sets/*/vdm-options",
    PutDedicatedIpInPool: "PUT /v2/email/dedicated-ips/*/pool",
    PutDedicatedIpPoolScalingAttributes: "PUT /v2/email/dedicated-ip-pools/*/scaling",
    PutDedicatedIpWarmupAttributes: "PUT /v2/email/dedicated-ips/*/warmup",
    PutDeliverabilityDashboardOption: "PUT /v2/email/deliverability-dashboard",
    PutEmailIdentityConfigurationSetAttributes: "PUT /v2/email/identities/*/configuration-set",
    PutEmailIdentityDkimAttributes: "PUT /v2/email/identities/*/dkim",
    PutEmailIdentityDkimSigningAttributes: "PUT /v2/email/identities/*/dkim/signing",
    PutEmailIdentityFeedbackAttributes: "PUT /v2/email/identities/*/feedback",
    PutEmailIdentityMailFromAttributes: "PUT /v2/email/identities/*/mail-from",
    PutSuppressedDestination: "PUT /v2/email/suppression/addresses",
    PutTenantSuppressionAttributes: "POST /v2/email/tenant/suppression",
    TagResource: "POST /v2/email/tags",
    UntagResource: "DELETE /v2/email/tags",
    UpdateConfigurationSet: "POST /v2/email/update-configuration-sets",
    UpdateConfigurationSetEventDestination: "PUT /v2/email/configuration-sets/*/event-destinations/*",
    UpdateContact: "PUT /v2/email/contact-lists/*/contacts/*",
    UpdateContactList: "PUT /v2/email/contact-lists/*",
    UpdateCustomVerificationEmailTemplate: "PUT /v2/email/custom-verification-email-templates/*",
    UpdateEmailIdentityPolicy: "PUT /v2/email/identities/*/policies/*",
    UpdateEmailTemplate: "PUT /v2/email/templates/*",
    UpdateReputationEntityCustomerManagedStatus: "PUT /v2/email/reputation/entities/*/*/customer-managed-status",
    UpdateReputationEntityPolicy: "PUT /v2/email/reputation/entities/*/*/policy",
  },
  // Reads, whatever the HTTP method.
  read: {
    BatchGetMetricData: "POST /v2/email/metrics/batch",
    GetAccount: "GET /v2/email/account",
    GetBlacklistReports: "GET /v2/email/deliverability-dashboard/blacklist-report",
    GetConfigurationSet: "GET /v2/email/configuration-sets/*",
    GetConfigurationSetEventDestinations: "GET /v2/email/configuration-sets/*/event-destinations",
    GetContact: "GET /v2/email/contact-lists/*/contacts/*",
    GetContactList: "GET /v2/email/contact-lists/*",
    GetCustomVerificationEmailTemplate: "GET /v2/email/custom-verification-email-templates/*",
    GetDedicatedIp: "GET /v2/email/dedicated-ips/*",
    GetDedicatedIpPool: "GET /v2/email/dedicated-ip-pools/*",
    GetDedicatedIps: "GET /v2/email/dedicated-ips",
    GetDeliverabilityDashboardOptions: "GET /v2/email/deliverability-dashboard",
    GetDeliverabilityTestReport: "GET /v2/email/deliverability-dashboard/test-reports/*",
    GetDomainDeliverabilityCampaign: "GET /v2/email/deliverability-dashboard/campaigns/*",
    GetDomainStatisticsReport: "GET /v2/email/deliverability-dashboard/statistics-report/*",
    GetEmailAddressInsights: "POST /v2/email/email-address-insights",
    GetEmailIdentity: "GET /v2/email/identities/*",
    GetEmailIdentityPolicies: "GET /v2/email/identities/*/policies",
    GetEmailTemplate: "GET /v2/email/templates/*",
    GetExportJob: "GET /v2/email/export-jobs/*",
    GetImportJob: "GET /v2/email/import-jobs/*",
    GetMessageInsights: "GET /v2/email/insights/*",
    GetMultiRegionEndpoint: "GET /v2/email/multi-region-endpoints/*",
    GetReputationEntity: "GET /v2/email/reputation/entities/*/*",
    GetSuppressedDestination: "GET /v2/email/suppression/addresses/*",
    GetTenant: "POST /v2/email/tenants/get",
    ListConfigurationSets: "POST /v2/email/list-configuration-sets",
    ListContactLists: "GET /v2/email/contact-lists",
    ListContacts: "POST /v2/email/contact-lists/*/contacts/list",
    ListCustomVerificationEmailTemplates: "GET /v2/email/custom-verification-email-templates",
    ListDedicatedIpPools: "GET /v2/email/dedicated-ip-pools",
    ListDeliverabilityTestReports: "GET /v2/email/deliverability-dashboard/test-reports",
    ListDomainDeliverabilityCampaigns: "GET /v2/email/deliverability-dashboard/domains/*/campaigns",
    ListEmailIdentities: "POST /v2/email/list-identities",
    ListEmailIdentityCertificates: "POST /v2/email/identity/certificates/list",
    ListEmailTemplates: "GET /v2/email/templates",
    ListExportJobs: "POST /v2/email/list-export-jobs",
    ListImportJobs: "POST /v2/email/import-jobs/list",
    ListMultiRegionEndpoints: "GET /v2/email/multi-region-endpoints",
    ListRecommendations: "POST /v2/email/vdm/recommendations",
    ListReputationEntities: "POST /v2/email/reputation/entities",
    ListResourceTenants: "POST /v2/email/resources/tenants/list",
    ListSuppressedDestinations: "GET /v2/email/suppression/addresses",
    ListTagsForResource: "GET /v2/email/tags",
    ListTenantResources: "POST /v2/email/tenants/resources/list",
    ListTenants: "POST /v2/email/tenants/list",
    TestRenderEmailTemplate: "POST /v2/email/templates/*/render",
  },
} as const satisfies Partial<Record<OperationKind, Readonly<Record<string, string>>>>;

const v1 = {
  // Mails the people it names.
  send: ["SendBulkTemplatedEmail", "SendEmail", "SendRawEmail", "SendTemplatedEmail"],
  // SES itself mails people: verifications, and bounces to whoever sent a message.
  system: ["SendBounce", "SendCustomVerificationEmail", "VerifyEmailAddress", "VerifyEmailIdentity"],
  // Standing rules for incoming mail, which may bounce it or hand it on.
  unknown: [
    "CloneReceiptRuleSet",
    "CreateReceiptRule",
    "ReorderReceiptRuleSet",
    "SetActiveReceiptRuleSet",
    "SetReceiptRulePosition",
    "UpdateReceiptRule",
  ],
  // Mails nobody.
  management: [
    "CreateConfigurationSet",
    "CreateConfigurationSetEventDestination",
    "CreateConfigurationSetTrackingOptions",
    "CreateCustomVerificationEmailTemplate",
    "CreateReceiptFilter",
    "CreateReceiptRuleSet",
    "CreateTemplate",
    "DeleteConfigurationSet",
    "DeleteConfigurationSetEventDestination",
    "DeleteConfigurationSetTrackingOptions",
    "DeleteCustomVerificationEmailTemplate",
    "DeleteIdentity",
    "DeleteIdentityPolicy",
    "DeleteReceiptFilter",
    "DeleteReceiptRule",
    "DeleteReceiptRuleSet",
    "DeleteTemplate",
    "DeleteVerifiedEmailAddress",
    "PutConfigurationSetDeliveryOptions",
    "PutIdentityPolicy",
    "SetIdentityDkimEnabled",
    "SetIdentityFeedbackForwardingEnabled",
    "SetIdentityHeadersInNotificationsEnabled",
    "SetIdentityMailFromDomain",
    "SetIdentityNotificationTopic",
    "UpdateAccountSendingEnabled",
    "UpdateConfigurationSetEventDestination",
    "UpdateConfigurationSetReputationMetricsEnabled",
    "UpdateConfigurationSetSendingEnabled",
    "UpdateConfigurationSetTrackingOptions",
    "UpdateCustomVerificationEmailTemplate",
    "UpdateTemplate",
    "VerifyDomainDkim",
    "VerifyDomainIdentity",
  ],
  // Reads.
  read: [
    "DescribeActiveReceiptRuleSet",
    "DescribeConfigurationSet",
    "DescribeReceiptRule",
    "DescribeReceiptRuleSet",
    "GetAccountSendingEnabled",
    "GetCustomVerificationEmailTemplate",
    "GetIdentityDkimAttributes",
    "GetIdentityMailFromDomainAttributes",
    "GetIdentityNotificationAttributes",
    "GetIdentityPolicies",
    "GetIdentityVerificationAttributes",
    "GetSendQuota",
    "GetSendStatistics",
    "GetTemplate",
    "ListConfigurationSets",
    "ListCustomVerificationEmailTemplates",
    "ListIdentities",
    "ListIdentityPolicies",
    "ListReceiptFilters",
    "ListReceiptRuleSets",
    "ListTemplates",
    "ListVerifiedEmailAddresses",
    "TestRenderTemplate",
  ],
} as const satisfies Partial<Record<OperationKind, readonly string[]>>;

type NamesIn<Groups> = { [Kind in keyof Groups]: keyof Groups[Kind] }[keyof Groups];

/** The operations of the v2 API that are listed. */
export type V2Operation = NamesIn<typeof v2>;
/** The operations of the v1 API that are listed. */
export type V1Operation = (typeof v1)[keyof typeof v1][number];

/** Operations of the v2 API: kind by name. */
export const v2Operations: ReadonlyMap<string, OperationKind> = new Map(
  Object.entries(v2).flatMap(([kind, operations]) =>
    Object.keys(operations).map((name) => [name, kind as OperationKind] as const),
  ),
);

/** Operations of the v1 API: kind by name. */
export const v1Operations: ReadonlyMap<string, OperationKind> = new Map(
  Object.entries(v1).flatMap(([kind, names]) => names.map((name) => [name as string, kind as OperationKind] as const)),
);

const byRoute = Object.assign({}, ...Object.values(v2).map(invert)) as Record<string, string>;

function invert(operations: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(operations).map(([name, route]) => [route, name]));
}

/** The v2 operation behind a method and path. */
export const v2Routes = new Routes<string>(byRoute);

/** Method and path of a v2 operation that mails. */
export function v2RouteOf(operation: string): readonly [method: string, path: string] | undefined {
  const routes: Readonly<Record<string, string>> = { ...v2.send, ...v2.system, ...v2.identity, ...v2.audience };
  const route = Object.hasOwn(routes, operation) ? routes[operation]?.split(" ") : undefined;
  return route && [route[0] as string, route[1] as string];
}
