/**
 * Responses of the console and the headers that bind the browser.
 *
 * @module
 */
import type { Html } from "./html";

/** Scripts, styles and forms of our own; no frames around us, nothing from elsewhere. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "frame-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

const common: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=(), publickey-credentials-get=(self)",
  "x-robots-tag": "noindex",
};

/** A page. */
export function page(content: Html, status = 200): Response {
  return respond(`<!doctype html>\n${content.text}`, "text/html; charset=utf-8", status, {
    "content-security-policy": policy,
    "x-frame-options": "DENY",
  });
}

/** A file of ours, or data for our own script. */
export function asset(text: string, type: string): Response {
  return respond(text, type, 200, { "content-security-policy": "default-src 'none'" });
}

/** Data for the script that keeps counts live. */
export function data(value: unknown): Response {
  return asset(JSON.stringify(value), "application/json");
}

/**
 * A mail, or a report that came as HTML: shown in a frame of ours, as a document of no origin, without
 * scripts, forms and links out. Remote images only where somebody asked for them.
 */
export function framed(text: string, options: { readonly images: boolean }): Response {
  const images = options.images ? "img-src https: data:" : "img-src data:";
  return respond(text, "text/html; charset=utf-8", 200, {
    "content-security-policy": `sandbox; default-src 'none'; style-src 'unsafe-inline'; ${images}; form-action 'none'; base-uri 'none'; frame-ancestors 'self'`,
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "no-referrer",
  });
}

/** After a form: the browser asks for a page, so that a reload does not post again. */
export function redirect(to: string): Response {
  return new Response(null, { status: 303, headers: { ...common, location: to } });
}

function respond(text: string, type: string, status: number, more: Readonly<Record<string, string>>): Response {
  return new Response(text, { status, headers: { ...common, "content-type": type, ...more } });
}
