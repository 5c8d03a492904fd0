/**
 * The fields of SendGrid's mail/send
 * (https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send).
 *
 * @module
 */
import type { Shape } from "../../src/adapter";

const email: Shape = { email: true, name: true };
const enable: Shape = { enable: true };

/** All of them; `mail_settings.bcc` and `sections` are older, and still heeded. */
export const mailShape: Shape = {
  personalizations: [
    {
      to: [email],
      cc: [email],
      bcc: [email],
      from: email,
      subject: true,
      headers: true,
      substitutions: true,
      dynamic_template_data: true,
      custom_args: true,
      send_at: true,
    },
  ],
  from: email,
  reply_to: email,
  reply_to_list: [email],
  subject: true,
  content: [{ type: true, value: true }],
  // The SDK types `contentId` and, in a list, passes it on as written.
  attachments: [{ content: true, type: true, filename: true, disposition: true, content_id: true, contentId: true }],
  template_id: true,
  headers: true,
  sections: true,
  categories: true,
  custom_args: true,
  send_at: true,
  batch_id: true,
  asm: { group_id: true, groups_to_display: true },
  ip_pool_name: true,
  mail_settings: {
    bcc: { enable: true, email: true },
    bypass_list_management: enable,
    bypass_spam_management: enable,
    bypass_bounce_management: enable,
    bypass_unsubscribe_management: enable,
    footer: { enable: true, text: true, html: true },
    sandbox_mode: enable,
    // `post_to_url` is left out: it hands every mail to a web address.
    spam_check: { enable: true, threshold: true },
  },
  tracking_settings: {
    click_tracking: { enable: true, enable_text: true },
    open_tracking: { enable: true, substitution_tag: true },
    subscription_tracking: { enable: true, text: true, html: true, substitution_tag: true },
    ganalytics: {
      enable: true,
      utm_source: true,
      utm_medium: true,
      utm_term: true,
      utm_content: true,
      utm_campaign: true,
    },
  },
};
