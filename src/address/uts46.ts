/**
 * The table of UTS #46, loaded when the first international domain is read: it is larger than all the
 * rest of what sending one mail needs, and most applications never read one.
 *
 * Addresses are read synchronously, so the table is too: by `require`, from beside the package. Where a
 * bundler has taken the package apart there is nothing beside it; the bundle has the table as a piece
 * of its own, which {@link prepareUts46} loads ahead.
 *
 * @module
 */
import { createRequire } from "node:module";

type Uts46 = Pick<typeof import("tr46"), "toASCII" | "toUnicode">;

let loaded: Uts46 | undefined;
let require: NodeJS.Require | undefined;

/** The table, or `undefined` where it is on its way. */
export function uts46(): Uts46 | undefined {
  if (!loaded) {
    try {
      loaded = beside()("tr46") as Uts46;
    } catch {
      // Nothing beside the package: what prepareUts46 has begun brings it.
    }
  }
  return loaded;
}

/** Loads the table ahead where it could not be loaded when it is needed. Called where clients are attached. */
export function prepareUts46(): void {
  if (loaded) return;
  try {
    beside().resolve("tr46");
  } catch {
    void import("tr46").then((found) => {
      loaded = "toASCII" in found ? found : (found as { default: Uts46 }).default;
    });
  }
}

function beside(): NodeJS.Require {
  require ??= createRequire(import.meta.url);
  return require;
}
