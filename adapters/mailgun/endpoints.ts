/**
 * What Mailgun's API does, by method and path
 * (https://documentation.mailgun.com/docs/mailgun/api-reference). What no line names is refused:
 * routes above all (standing forwards), and writes to mailing lists, which change whom a later mail
 * to the list's address reaches.
 *
 * @module
 */
import { Routes } from "../../src/adapter";

/** What an endpoint other than messages does. */
export type Endpoint =
  | "management"
  | "read"
  | "lists"
  | "resend-stored"
  | "authorise-recipient"
  | "resend-activation"
  | "inbox-test";

/** Writes and odd reads; plain GETs are reads. */
export const endpoints = new Routes<Endpoint>({
  // Unsubscribes and suppressions: these must work above all.
  "* /v3/*/unsubscribes/**": "management",
  "* /v3/*/bounces/**": "management",
  "* /v3/*/complaints/**": "management",
  "* /v3/*/whitelists/**": "management",

  "POST /v3/domains/*/messages/*": "resend-stored",
  "DELETE /v3/*/envelopes": "management",

  "DELETE /v3/lists/**": "management",
  "POST /v3/lists/*/validate": "management",
  "POST /v3/lists/**": "lists",
  "PUT /v3/lists/**": "lists",
  "DELETE /v3/routes/*": "management",

  "* /v3/*/templates/**": "management",
  "* /v3/*/tags/**": "management",
  "POST /v4/domains": "management",
  "PUT /v4/domains/*": "management",
  "PUT /v4/domains/*/verify": "management",
  "PUT /v4/domains/*/keys/*/activate": "management",
  "PUT /v4/domains/*/keys/*/deactivate": "management",
  "DELETE /v3/domains/*": "management",
  "PUT /v3/domains/*/connection": "management",
  "PUT /v3/domains/*/dkim_selector": "management",
  "PUT /v3/domains/*/dkim_authority": "management",
  "PUT /v3/domains/*/web_prefix": "management",
  "PUT /v3/domains/*/tracking/*": "management",
  "* /v3/domains/*/credentials/**": "management",
  "* /v3/domains/*/ips/**": "management",
  "* /v3/domains/*/pool/**": "management",
  "* /v3/domains/*/webhooks/**": "management",
  "POST /v2/x509/*": "management",
  "PUT /v2/x509/*": "management",
  "* /v1/dkim/keys": "management",
  "* /v1/dkim_management/domains/*/*": "management",
  "* /v3/ip_pools/**": "management",

  "* /v4/address/validate/bulk/*": "management",
  "* /v4/inbox/seedlists/**": "management",
  "DELETE /v4/inbox/results/*": "management",
  "PUT /v4/inbox/sharing/*": "management",
  "POST /v4/inbox/tests": "inbox-test",

  "POST /v1/analytics/*": "read",
  "POST /v1/analytics/usage/metrics": "read",
  "PUT /v1/analytics/tags": "management",
  "DELETE /v1/analytics/tags": "management",
  "POST /v2/bounce-classification/metrics": "read",

  "* /v1/keys/**": "management",
  "* /v5/accounts/subaccounts/**": "management",
  "* /v5/accounts/limit/custom/**": "management",
  "PUT /v5/accounts": "management",
  "PUT /v5/accounts/features": "management",
  "POST /v5/accounts/http_signing_key": "management",
  "DELETE /v5/sandbox/auth_recipients/*": "management",
  "POST /v5/sandbox/auth_recipients": "authorise-recipient",
  "POST /v5/accounts/resend_activation_email": "resend-activation",
});
