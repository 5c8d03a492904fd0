/** Verifies DKIM signatures (RFC 6376, relaxed/relaxed, rsa-sha256) of mails as they arrived. */
import { createHash, createVerify, generateKeyPairSync } from "node:crypto";

const dkimKeys = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

/** What nodemailer signs with. */
export const dkim = { domainName: "sender.test", keySelector: "k1", privateKey: dkimKeys.privateKey };

/** Whether the first signature of a mail holds; `undefined` when it carries none. */
export function dkimHolds(mail: string): boolean | undefined {
  const end = mail.indexOf("\r\n\r\n");
  const fields = mail.slice(0, end).split(/\r\n(?![ \t])/);
  const signature = fields.find((field) => /^dkim-signature:/i.test(field));
  if (!signature) return undefined;
  const tags = new Map(
    signature
      .slice(signature.indexOf(":") + 1)
      .split(";")
      .map((tag) => tag.replace(/\s+/g, "").split(/=(.*)/s) as [string, string]),
  );
  const bodyHash = createHash("sha256")
    .update(relaxedBody(mail.slice(end + 4)))
    .digest("base64");
  if (bodyHash !== tags.get("bh")) return false;
  const unused = [...fields];
  const signed = (tags.get("h") ?? "")
    .toLowerCase()
    .split(":")
    .flatMap((name) => {
      const at = unused.findLastIndex((field) => field.toLowerCase().startsWith(`${name}:`));
      return at < 0 ? [] : unused.splice(at, 1);
    });
  const input = [...signed.map(relaxedField), relaxedField(signature).replace(/(;\s*b=)[^;]*/, "$1")].join("\r\n");
  return createVerify("RSA-SHA256")
    .update(input)
    .verify(dkimKeys.publicKey, tags.get("b") ?? "", "base64");
}

function relaxedField(field: string): string {
  const colon = field.indexOf(":");
  const value = field
    .slice(colon + 1)
    .replace(/\r\n/g, "")
    .replace(/[ \t]+/g, " ")
    .trim();
  return `${field.slice(0, colon).trim().toLowerCase()}:${value}`;
}

function relaxedBody(body: string): string {
  const lines = body.split("\r\n").map((line) => line.replace(/[ \t]+/g, " ").replace(/ $/, ""));
  const text = lines.join("\r\n").replace(/(?:\r\n)+$/, "");
  return text === "" ? "" : `${text}\r\n`;
}
