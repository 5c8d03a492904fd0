/**
 * Where mail leaves a machine: submission ports, and the hosts of mail providers. A test holds this
 * list against the hosts that the codecs know.
 *
 * @module
 */

/**
 * SMTP (RFC 5321: 25), submission (RFC 6409: 587), submission over TLS (RFC 8314: 465), and the
 * alternatives that providers document for networks which block those: 2525, 2465, 2587.
 */
export const submissionPorts: ReadonlySet<number> = new Set([25, 465, 587, 2525, 2465, 2587]);

/** Hosts that only serve a mail provider's API or submission; `*.` stands for any depth, `*` for one label. */
const mailHosts: readonly string[] = [
  "api.sendgrid.com",
  "api.eu.sendgrid.com",
  "email.twilio.com",
  "smtp.sendgrid.net",
  "smtp.eu.sendgrid.net",
  "api.mailgun.net",
  "api.eu.mailgun.net",
  "*.api.mailgun.net",
  "smtp.mailgun.org",
  "smtp.eu.mailgun.org",
  "email.*.amazonaws.com",
  "email-fips.*.amazonaws.com",
  "email.*.api.aws",
  "email-fips.*.api.aws",
  "*.endpoints.email.amazonaws.com",
  "*.endpoints.email.global.api.aws",
  "email-smtp.*.amazonaws.com",
  "email-smtp-fips.*.amazonaws.com",
  "email.*.amazonaws.com.cn",
  "email-smtp.*.amazonaws.com.cn",
  "api.postmarkapp.com",
  "smtp.postmarkapp.com",
  "smtp-broadcasts.postmarkapp.com",
  "api.resend.com",
  "smtp.resend.com",
  "mandrillapp.com",
  "*.mandrillapp.com",
  "*.api.mailchimp.com",
  "api.brevo.com",
  "api.sendinblue.com",
  "smtp-relay.brevo.com",
  "smtp-relay.sendinblue.com",
  "api.mailersend.com",
  "smtp.mailersend.net",
  "api.sparkpost.com",
  "api.eu.sparkpost.com",
  "*.api.e.sparkpost.com",
  "*.sparkpostmail.com",
  "api.mailjet.com",
  "api.us.mailjet.com",
  "in.mailjet.com",
  "in-v3.mailjet.com",
  "send.api.mailtrap.io",
  "bulk.api.mailtrap.io",
  "sandbox.api.mailtrap.io",
  "mailtrap.io",
  "live.smtp.mailtrap.io",
  "bulk.smtp.mailtrap.io",
  "app.loops.so",
  "smtp.loops.so",
  "api.customer.io",
  "api-eu.customer.io",
  "track.customer.io",
  "track-eu.customer.io",
  "cdp.customer.io",
  "cdp-eu.customer.io",
  "api.elasticemail.com",
  "api.smtp2go.com",
  "mail.smtp2go.com",
  "api.mailpace.com",
  "api.forwardemail.net",
  "api.zeptomail.com",
  "api.zeptomail.eu",
  "smtp.gmail.com",
  "smtp-relay.gmail.com",
  "smtp.office365.com",
  "smtp.mail.yahoo.com",
  "smtp.mail.me.com",
  "smtp.zoho.com",
  "smtp.zoho.eu",
  "smtp.fastmail.com",
];

/** Hosts that serve other things too: only these paths mail somebody. */
const sharedHosts: readonly (readonly [host: string, path: RegExp])[] = [
  ["*.communication.azure.com", /^\/+emails/i],
  ["gmail.googleapis.com", /\/(?:messages|drafts)\/send$/i],
  ["www.googleapis.com", /^\/(?:upload\/)?gmail\/.*\/send$/i],
  ["api.scaleway.com", /^\/+transactional-email\//i],
  ["graph.microsoft.com", /\/(?:microsoft\.graph\.)?(?:sendMail|send|reply|replyAll|forward)$/i],
];

const exact = new Set(mailHosts.filter((host) => !host.includes("*")));
const patterned = mailHosts.filter((host) => host.includes("*"));

/** Whether `host` (lower case, no trailing dot) belongs to a mail provider alone. */
export function isMailHost(host: string): boolean {
  return exact.has(host) || patterned.some((pattern) => hostMatches(pattern, host));
}

/** Whether a request to this host and path mails somebody. Without a path, only hosts that do nothing else count. */
export function isMailRequest(host: string, path: string | undefined): boolean {
  if (isMailHost(host)) return true;
  if (path === undefined) return false;
  const shared = sharedHosts.find(([pattern]) => hostMatches(pattern, host));
  return shared?.[1].test(path) ?? false;
}

/** `*.example.com` covers subdomains of any depth; a `*` label elsewhere covers exactly one label. */
export function hostMatches(pattern: string, host: string): boolean {
  if (pattern.startsWith("*.")) return host.endsWith(pattern.slice(1)) && host.length > pattern.length - 1;
  if (!pattern.includes("*")) return pattern === host;
  const wanted = pattern.split(".");
  const got = host.split(".");
  return wanted.length === got.length && wanted.every((label, at) => label === "*" || label === got[at]);
}
