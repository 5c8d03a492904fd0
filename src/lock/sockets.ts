/**
 * The lock at the level of connections. The prototypes are hooked, not the module's functions: a
 * `connect` imported before the lock ends in the same methods.
 *
 * @module
 */
import { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { insideDelivery } from "../delivery";
import { submissionPorts } from "./hosts";
import { type Destination, isLoopback, namesProvider, normalHost, reasonToRefuse, splitAuthority } from "./policy";
import { type LockState, locked, unguarded } from "./state";

/** On sockets that were judged when they connected, and on TLS over them; later use needs no context. */
const passed = Symbol.for("mailfuse.lock.passed");

/** On sockets that are about to fail. */
const refused = Symbol.for("mailfuse.lock.refused");

type Marked = Socket & { [passed]?: boolean; [refused]?: boolean; _parent?: Marked | null; _server?: unknown };

/** The part of Node's streams below `write` that sees every chunk, buffered or not. */
interface Generic {
  _writeGeneric(this: Marked, many: boolean, data: unknown, encoding: string, done: (error?: Error) => void): unknown;
}

/** Hooks the prototypes, once per process. */
export function hookSockets(state: LockState): void {
  hookConnect(state);
  hookTlsName(state);
  hookWrites(state);
}

function hookConnect(state: LockState): void {
  const prototype = Socket.prototype as { connect: (...args: unknown[]) => Socket };
  const original = prototype.connect;
  prototype.connect = function connect(this: Marked, ...args: unknown[]) {
    const to = destination(args);
    this[passed] = insideDelivery() || isLetThrough(state, to);
    const reason = this[passed] || !locked(state) || !to ? undefined : reasonToRefuse(to, [...state.allow]);
    if (reason === undefined) return Reflect.apply(original, this, args);
    // What is written meanwhile waits for the connection that never comes.
    (this as { connecting: boolean }).connecting = true;
    refuse(this, unguarded(state, reason));
    return this;
  };
}

// As a failed look-up does: whoever made the socket has attached its listeners by then.
function refuse(socket: Marked, error: Error): void {
  socket[refused] = true;
  process.nextTick(() => socket.destroy(error));
}

// A tunnel through a proxy is connected to the proxy; the name asked for in it is the true one.
function hookTlsName(state: LockState): void {
  const prototype = TLSSocket.prototype as unknown as { setServername: (name: string) => void };
  const original = prototype.setServername;
  prototype.setServername = function setServername(this: Marked, name: string) {
    const judged = this[passed] || this[refused] || this._parent?.[passed] || !locked(state);
    const reason = judged ? undefined : namesProvider(String(name), [...state.allow]);
    if (reason !== undefined) return refuse(this, unguarded(state, reason));
    if (insideDelivery() || this._parent?.[passed]) this[passed] = true;
    if (!this.destroyed) Reflect.apply(original, this, [name]);
  };
}

// Connections made before the lock, SMTP on a port of its own, and tunnels opened by hand.
function hookWrites(state: LockState): void {
  const prototype = Socket.prototype as unknown as Generic;
  const original = prototype._writeGeneric;
  prototype._writeGeneric = function _writeGeneric(this: Marked, many, data, encoding, done) {
    const judged = state.held === 0 || this[passed] === true || this.connecting || !locked(state);
    const reason = judged ? undefined : reasonInBytes(this, many, data, state);
    if (reason === undefined) return Reflect.apply(original, this, [many, data, encoding, done]);
    const error = unguarded(state, reason);
    this.destroy(error);
    done(error);
    return false;
  };
}

function reasonInBytes(socket: Marked, many: boolean, data: unknown, state: LockState): string | undefined {
  // What a server of this process answers is no business of the lock.
  if (socket._server) return undefined;
  const to: Destination = { host: socket.remoteAddress, port: socket.remotePort };
  if (to.port !== undefined && submissionPorts.has(to.port)) return reasonToRefuse(to, [...state.allow]);
  const start = firstBytes(many ? (data as { chunk: unknown }[])[0]?.chunk : data);
  if (start === undefined) return undefined;
  if (/^(?:EHLO|HELO|LHLO)[ \r\n]/i.test(start)) {
    if (isLetThrough(state, to) || (to.host !== undefined && isLoopback(normalHost(to.host)))) return undefined;
    return `an SMTP greeting on port ${to.port ?? "?"}`;
  }
  const tunnel = /^CONNECT ([^\s]+) HTTP\//i.exec(start);
  return tunnel?.[1] === undefined ? undefined : reasonToRefuse(splitAuthority(tunnel[1]), [...state.allow]);
}

// Only what could be one of the commands is turned into text; all other writes cost one comparison.
function firstBytes(chunk: unknown): string | undefined {
  const first = typeof chunk === "string" ? chunk.charCodeAt(0) : chunk instanceof Uint8Array ? chunk[0] : undefined;
  if (first === undefined || !"EHLCehlc".includes(String.fromCharCode(first))) return undefined;
  return typeof chunk === "string" ? chunk.slice(0, 300) : Buffer.from(chunk as Uint8Array).toString("latin1", 0, 300);
}

function isLetThrough(state: LockState, to: Destination | undefined): boolean {
  if (!to || state.allow.size === 0) return false;
  // Let through is what would be refused without the list and is not with it.
  return (
    reasonToRefuse({ ...to, port: to.port ?? 0 }, []) !== undefined &&
    reasonToRefuse(to, [...state.allow]) === undefined
  );
}

/** Reads the arguments of `Socket.prototype.connect` in all their forms; `undefined` for a path on this machine. */
function destination(args: readonly unknown[]): Destination | undefined {
  const [first, second] = Array.isArray(args[0]) ? (args[0] as unknown[]) : args;
  if (typeof first === "object" && first !== null) {
    const { path, port, host, servername } = first as Readonly<Record<string, unknown>>;
    if (path) return undefined;
    const alias = typeof servername === "string" && servername !== "" ? servername : undefined;
    return { host: typeof host === "string" ? host : "localhost", alias, port: Number(port) };
  }
  const port = Number(first);
  if (typeof first === "string" && !(port >= 0)) return undefined;
  return { host: typeof second === "string" ? second : "localhost", port };
}
