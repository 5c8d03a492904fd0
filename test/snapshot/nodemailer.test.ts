import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import mongoose from "mongoose";
import { createTransport, type SendMailOptions } from "nodemailer";
import { expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../src/clock";
import { bufferStreams, snapshot } from "../../src/snapshot";

const transporter = createTransport({ streamTransport: true, buffer: true });

/** The envelope and the bytes that nodemailer makes of a mail. */
async function wire(mail: unknown): Promise<{ envelope: unknown; bytes: string }> {
  const { envelope, message } = await transporter.sendMail(mail as SendMailOptions);
  return { envelope, bytes: String(message).replaceAll(/--_NmP-[^"\s]+?(?=-Part)/g, "--boundary") };
}

class Person {
  readonly #address: string;
  constructor(
    readonly name: string,
    address: string,
  ) {
    this.#address = address;
  }
  get address(): string {
    return this.#address;
  }
  // nodemailer writes addresses back in their canonical form.
  set address(_: string) {}
}

const Team = mongoose.model(
  "SnapshotTeam",
  new mongoose.Schema({
    emails: [String],
    people: [new mongoose.Schema({ name: String, address: String })],
    files: [new mongoose.Schema({ filename: String, content: Buffer })],
  }),
);

const common = { from: "App <app@sender.test>", messageId: "<1@sender.test>", date: new Date(0), subject: "s" };
const team = () =>
  new Team({
    emails: ["ann@acme.test", "bo@acme.test"],
    people: [{ name: "Cy", address: "cy@acme.test" }],
    files: [{ filename: "a.bin", content: Buffer.from([0, 255, 1]) }],
  });

const everyday: Record<string, (file: string) => object> = {
  "plain text": () => ({ to: "ann@acme.test", text: "t" }),
  "nested lists and groups": () => ({
    to: ["ann@acme.test", ["Bo <bo@acme.test>"], { name: "G", group: [{ name: "", address: "cy@acme.test" }] }],
    text: "t",
  }),
  "html, text and headers": () => ({
    to: "ann@acme.test",
    text: "t",
    html: "<b>t</b>",
    headers: { "X-A": ["1", "2"], "X-N": 5, "X-P": { prepared: true, value: "x" } },
  }),
  "a list of headers": () => ({ to: "ann@acme.test", text: "t", headers: [{ key: "X-A", value: "1" }] }),
  instances: () => ({ to: [new Person("Ann", "ann@acme.test")], replyTo: new Person("Bo", "bo@acme.test"), text: "t" }),
  "a Mongoose array": () => ({ to: team().emails, text: "t" }),
  "Mongoose subdocuments": () => ({ to: team().people, cc: team().people[0], text: "t", attachments: team().files }),
  "buffers and typed arrays": () => ({
    to: "ann@acme.test",
    text: Buffer.from("t"),
    attachments: [
      { filename: "a", content: Buffer.from([1, 2]) },
      { filename: "b", content: Uint8Array.from([1, 2]) },
    ],
  }),
  "files by path": (file) => ({ to: "ann@acme.test", text: { path: file }, attachments: [{ path: file }] }),
  streams: () => ({
    to: "ann@acme.test",
    text: Readable.from(["t"]),
    attachments: [{ filename: "a.txt", content: Readable.from(["x", "y"]) }],
  }),
  "calendar and alternatives": () => ({
    to: "ann@acme.test",
    text: "t",
    icalEvent: { method: "REQUEST", content: "BEGIN:VCALENDAR\r\nEND:VCALENDAR" },
    alternatives: [{ contentType: "text/x-web-markdown", content: "**t**" }],
  }),
  "lists and priority": () => ({
    to: "ann@acme.test",
    text: "t",
    priority: "high",
    list: { unsubscribe: { url: "https://acme.test/u", comment: "leave" } },
  }),
  "an envelope": () => ({
    to: "Ann <ann@acme.test>",
    text: "t",
    envelope: Object.assign(Object.create({ from: "bounce@sender.test" }), { to: ["ann@acme.test"] }),
  }),
  raw: () => ({ envelope: { from: "app@sender.test", to: "ann@acme.test" }, raw: "Subject: s\r\n\r\nt" }),
};

it.each(Object.keys(everyday))("nodemailer makes the same mail of the copy: %s", async (name) => {
  const directory = await mkdtemp(path.join(tmpdir(), "mailfuse-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = path.join(directory, "a b.txt");
  await writeFile(file, "content");
  const make = () => ({ ...common, ...everyday[name]?.(file) });
  const copy = await bufferStreams(snapshot(make()), { clock: systemClock });
  expect(await wire(copy)).toEqual(await wire(make()));
});

it("nodemailer writes a proper Date header from the copy of a date library's instant", async () => {
  const date = new (class Moment {
    toJSON(): string {
      return "2026-11-21T10:00:00.000Z";
    }
    toString(): string {
      return "an hour ago";
    }
  })();
  const { bytes } = await wire(snapshot({ ...common, to: "ann@acme.test", text: "t", date }));
  expect(bytes).toContain("Date: Sat, 21 Nov 2026 10:00:00 +0000");
});
