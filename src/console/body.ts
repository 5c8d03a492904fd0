/**
 * What a browser sent: whose page it comes from, and a form's fields, in bounded memory.
 *
 * @module
 */

/** The largest form: a reason, or a pasted token. */
const mostBytes = 64 * 1024;

/** Whether a request that changes something comes from a page of this very origin. */
export function isOwn(request: Request, origin: string): boolean {
  const site = request.headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin") return false;
  const from = request.headers.get("origin");
  // A browser sends one of the two with every post; what sends neither is no page of ours.
  return from === null ? site !== null : from === origin;
}

/** A form's fields; `"too-large"` or `"no-form"` for what is none. */
export async function readForm(request: Request): Promise<URLSearchParams | "too-large" | "no-form"> {
  const type = (request.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded") return "no-form";
  if (Number(request.headers.get("content-length") ?? 0) > mostBytes) return "too-large";
  const chunks: Uint8Array[] = [];
  let size = 0;
  if (request.body) {
    for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
      size += chunk.byteLength;
      if (size > mostBytes) return "too-large";
      chunks.push(chunk);
    }
  }
  return new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
}
