/**
 * The logger a fuse writes to: any of pino, winston-like or console-shaped objects. Lines carry
 * codes, counts and pseudonyms, never addresses or bodies.
 *
 * @module
 */

/** Called with fields first and the sentence second, as pino does. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Writes warnings and errors, and the start-up line, to the console. */
export const consoleLogger: Logger = {
  debug: () => {},
  info: (_fields, message) => console.info(`mailfuse: ${message}`),
  warn: (_fields, message) => console.warn(`mailfuse: ${message}`),
  error: (_fields, message) => console.error(`mailfuse: ${message}`),
};
