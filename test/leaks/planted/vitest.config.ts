/** A run of one file in which something is said that must not be: see `leaks.test.ts`. */
import base from "../../../vitest.config";

export default { ...base, test: { ...base.test, include: ["test/leaks/planted/planted.ts"] } };
