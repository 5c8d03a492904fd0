/** One server of each kind for all checks of the programme, started when it is first needed. */
import { type FreshPlace, freshPlace, type Kind } from "../faults/places";
import { type OpenPlace, openPlace, type StorePlace } from "../faults/stores";

interface Shared {
  readonly fresh: FreshPlace;
  readonly open: OpenPlace;
}

const places = new Map<Kind, Promise<Shared>>();

/** The store of a kind, and how another process opens it. */
export async function placeOf(kind: Kind): Promise<OpenPlace & { readonly place: StorePlace }> {
  const found = places.get(kind) ?? begin(kind);
  places.set(kind, found);
  const { fresh, open } = await found;
  return { ...open, place: fresh.place(0) };
}

async function begin(kind: Kind): Promise<Shared> {
  const fresh = await freshPlace(kind);
  return { fresh, open: await openPlace(fresh.place(0)) };
}

/** Ends all of them. */
export async function endPlaces(): Promise<void> {
  for (const begun of places.values()) {
    const { fresh, open } = await begun;
    await open.end();
    await fresh.end();
  }
}
