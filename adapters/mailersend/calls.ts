/**
 * From the arguments of `request` to a copy, and from the copy back to the SDK.
 *
 * @module
 */
import {
  asRecord,
  below,
  type Call,
  codecCall,
  copyJson,
  decodeWire,
  type Gate,
  isNoConnection,
  type Plain,
  readTarget,
  type SnapshotLimits,
  type Transport,
  toText,
  type WireBody,
  type WireRequest,
  type WireResponse,
  watchFetch,
} from "../../src/adapter";
import { mailersendCodec } from "./codec";

/** What the adapter uses of a client's parts: `email`, `email.domain`, `user` and the rest. */
export interface Part {
  readonly baseUrl: unknown;
  readonly apiKey: unknown;
  request(method: unknown, path: unknown, body?: unknown, query?: unknown): Promise<unknown>;
}

/** What every method of the SDK resolves to, or, as a plain object, rejects with. */
interface Answer {
  readonly headers: unknown;
  readonly body: unknown;
  readonly statusCode: number;
}

/** A request, each part read once. */
export interface Copied {
  readonly wire: WireRequest;
  readonly method: string;
  readonly path: string;
  readonly query: Plain;
  /** The part as it was when the request was judged: where it goes, and as whom. */
  readonly pinned: object;
}

/** Copies the arguments of `request`, and what of the part decides where they go. */
export function copyRequest(part: Part, given: readonly unknown[], limits: SnapshotLimits): Copied {
  const [method, path] = [String(given[0]), String(given[1])];
  const baseUrl = String(part.baseUrl);
  const query = copyJson(given[3], limits);
  const target = targetOf(baseUrl, path);
  const wire: WireRequest = {
    method: method.toUpperCase(),
    path: target?.path ?? "",
    query: [
      ...(target?.query ?? []),
      ...Object.entries(asRecord(query) ?? {}).map(([name, value]) => [name, toText(value)] as const),
    ],
    headers: [],
    body: copyBody(given[2], limits),
  };
  const pinned = Object.create(part, { baseUrl: { value: baseUrl }, apiKey: { value: part.apiKey } }) as object;
  return { wire, method, path, query, pinned };
}

/** As the SDK resolves it; a path may name another host, and then leads elsewhere than below the base. */
function targetOf(base: string, path: string) {
  const root = base.endsWith("/") ? base : `${base}/`;
  const text = path.replace(/^\//, "");
  if (!URL.canParse(root) || !URL.canParse(text, root)) return undefined;
  const url = below(root, new URL(text, root).href);
  if (!url) return undefined;
  url.pathname = `/v1${url.pathname}`;
  return readTarget(url);
}

/** What is falsy, the SDK does not send; objects, it serialises; forms, streams and text leave as they are. */
function copyBody(body: unknown, limits: SnapshotLimits): WireBody {
  if (!body) return { kind: "none" };
  const value = isRaw(body) ? undefined : copyJson(body, limits);
  if (typeof value !== "object" || value === null) return { kind: "bytes", bytes: Buffer.alloc(0) };
  return { kind: "json", value };
}

function isRaw(body: unknown): boolean {
  if (typeof body !== "object" || body === null) return true;
  if (body instanceof String || body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return true;
  if ([Blob, FormData, URLSearchParams, ReadableStream].some((kind) => body instanceof kind)) return true;
  return "pipe" in body && typeof body.pipe === "function";
}

/** What the SDK is handed as body for a copy. */
export function bodyFor({ body }: WireRequest): unknown {
  return body.kind === "json" ? body.value : null;
}

/** Makes and passes the calls of one client. */
export class MailersendCalls {
  constructor(
    private readonly main: Part,
    private readonly original: (this: object, ...args: unknown[]) => unknown,
    private readonly gate: Gate,
  ) {}

  /** Stands in for a part's `request`. Async, so that a request that cannot be copied rejects. */
  async request(part: Part, given: readonly unknown[]): Promise<unknown> {
    const copied = copyRequest(part, given, this.gate.limits);
    return this.gate.pass(codecCall(mailersendCodec, copied.wire, this.#transport(copied)));
  }

  revive(spooled: Uint8Array): Call {
    const wire = decodeWire(spooled);
    const path = wire.path.replace(/^\/v1(?=\/)/, "");
    const copied = copyRequest(this.main, [wire.method, path], this.gate.limits);
    return codecCall(mailersendCodec, wire, this.#transport(copied));
  }

  #transport({ method, path, query, pinned }: Copied): Transport<Answer> {
    let unconnected = (): boolean => false;
    return {
      send: (request) => {
        const { result, neverConnected } = watchFetch(() =>
          this.original.call(pinned, method, path, bodyFor(request), query),
        );
        unconnected = neverConnected;
        return result as Promise<Answer>;
      },
      answer: ({ status, headers, body }) => ({ headers: { ...headers }, body, statusCode: status }),
      response: responseOf,
      neverConnected: (error) => isNoConnection(error) || unconnected(),
    };
  }
}

function responseOf(settled: { readonly result: Answer } | { readonly error: unknown }): WireResponse | undefined {
  const answer = ("result" in settled ? settled.result : settled.error) as Partial<Answer> | null | undefined;
  if (typeof answer?.statusCode !== "number") return undefined;
  const headers = Object.entries((answer.headers ?? {}) as Record<string, unknown>);
  return {
    status: answer.statusCode,
    headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), String(value)])),
    body: answer.body as Plain,
  };
}
