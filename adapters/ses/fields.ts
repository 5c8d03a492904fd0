/**
 * The fields of the operations of SES that mail people they name.
 *
 * @module
 */
import type { Shape } from "../../src/adapter";

const text: Shape = { Data: true, Charset: true };
const body: Shape = { Text: text, Html: text };
const header: Shape = { Name: true, Value: true };
const tag: Shape = { Name: true, Value: true };
const destination: Shape = { ToAddresses: true, CcAddresses: true, BccAddresses: true };
const attachment: Shape = {
  RawContent: true,
  FileName: true,
  ContentDisposition: true,
  ContentDescription: true,
  ContentId: true,
  ContentTransferEncoding: true,
  ContentType: true,
};
const template: Shape = {
  TemplateName: true,
  TemplateArn: true,
  TemplateContent: { Subject: true, Text: true, Html: true },
  TemplateData: true,
  Headers: [header],
  Attachments: [attachment],
};
const overrides: Shape = { Tracking: { OpenTrackingEnabled: true, ClickTrackingEnabled: true } };

const v2Common: Shape = {
  FromEmailAddress: true,
  FromEmailAddressIdentityArn: true,
  ReplyToAddresses: true,
  FeedbackForwardingEmailAddress: true,
  FeedbackForwardingEmailAddressIdentityArn: true,
  ConfigurationSetName: true,
  ConfigurationOverrides: overrides,
  EndpointId: true,
  TenantName: true,
};

const v1Common: Shape = {
  Source: true,
  SourceArn: true,
  ReplyToAddresses: true,
  ReturnPath: true,
  ReturnPathArn: true,
  ConfigurationSetName: true,
};

/** Closed lists, by API and operation. */
export const shapes: Readonly<Record<"v1" | "v2", Readonly<Record<string, Shape>>>> = {
  v2: {
    SendEmail: {
      ...v2Common,
      Destination: destination,
      Content: {
        Simple: { Subject: text, Body: body, Headers: [header], Attachments: [attachment] },
        Raw: { Data: true },
        Template: template,
      },
      EmailTags: [tag],
      ListManagementOptions: { ContactListName: true, TopicName: true },
    },
    SendBulkEmail: {
      ...v2Common,
      DefaultContent: { Template: template },
      DefaultEmailTags: [tag],
      BulkEmailEntries: [
        {
          Destination: destination,
          ReplacementTags: [tag],
          ReplacementHeaders: [header],
          ReplacementEmailContent: { ReplacementTemplate: { ReplacementTemplateData: true } },
        },
      ],
    },
  },
  v1: {
    SendEmail: { ...v1Common, Destination: destination, Message: { Subject: text, Body: body }, Tags: [tag] },
    SendRawEmail: {
      Source: true,
      SourceArn: true,
      FromArn: true,
      ReturnPathArn: true,
      Destinations: true,
      RawMessage: { Data: true },
      Tags: [tag],
      ConfigurationSetName: true,
    },
    SendTemplatedEmail: {
      ...v1Common,
      Destination: destination,
      Template: true,
      TemplateArn: true,
      TemplateData: true,
      Tags: [tag],
    },
    SendBulkTemplatedEmail: {
      ...v1Common,
      Template: true,
      TemplateArn: true,
      DefaultTemplateData: true,
      DefaultTags: [tag],
      Destinations: [{ Destination: destination, ReplacementTags: [tag], ReplacementTemplateData: true }],
    },
  },
};
