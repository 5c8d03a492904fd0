/**
 * Signed AWS requests, as far as telling SES apart and reading what they say needs it.
 *
 * @module
 */
import { type Plain, readJson, readPath, type WireRequest } from "../../src/adapter";
import type { HttpRequest } from "./choke-point";

/** The id that all attempts of one command share. */
export function invocationOf(request: HttpRequest): string | undefined {
  return headerOf(request, "amz-sdk-invocation-id");
}

function headerOf(request: HttpRequest, wanted: string): string | undefined {
  for (const [name, value] of Object.entries(request.headers ?? {})) if (name.toLowerCase() === wanted) return value;
  return undefined;
}

// SigV4: key/date/region/service/aws4_request; SigV4a leaves the region out.
const scope = /Credential=[^/,\s]+\/\d{8}\/(?:[^/,\s]+\/)?([a-z0-9-]+)\/aws4_request/i;

/** Whether a request goes to SES: by the scope it is signed for, else by its host or path. */
export function isSesRequest(request: HttpRequest): boolean {
  const presigned = request.query?.["X-Amz-Credential"];
  const signed =
    scope.exec(headerOf(request, "authorization") ?? "") ?? scope.exec(`Credential=${String(presigned ?? "")}`);
  if (signed) return signed[1]?.toLowerCase() === "ses";
  return (
    /^(?:email|email-fips)\.|\.endpoints\.email\./i.test(request.hostname ?? "") ||
    /\/v2\/email\//i.test(readPath(request.path ?? ""))
  );
}

/** The request in the form that codecs read. */
export function wireOf(request: HttpRequest): WireRequest {
  const path = readPath(request.path ?? "");
  const query = Object.entries(request.query ?? {}).flatMap(([name, value]) =>
    [value].flat().map((one) => [name, String(one)] as const),
  );
  const { body } = request;
  const text = body instanceof Uint8Array ? textOf(body) : typeof body === "string" ? body : "";
  return {
    method: String(request.method).toUpperCase(),
    path,
    query,
    headers: [],
    body: /\/v2\/email\//i.test(path)
      ? { kind: "json", value: readJson(text) }
      : { kind: "form", fields: [...new URLSearchParams(text)] as [string, Plain][] },
  };
}

// Not Buffer.from(bytes): it asks valueOf, of which the SDK's own bytes make text, with a warning.
function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}
