/**
 * The web console: people look at plans, confirm or reject them, stop mail, and find out what
 * happened. A function from `Request` to `Response`, for any server.
 *
 * ```ts
 * import { createConsole, toNodeHandler } from "mailfuse/console";
 *
 * const console = createConsole({ fuse, authorize: (request) => sessionOf(request) });
 * http.createServer(toNodeHandler(console)).listen(3000, "127.0.0.1");
 * ```
 *
 * @module
 */
export { type Actor, type Console, type ConsoleOptions, createConsole } from "./console";
export { toNodeHandler } from "./node";
