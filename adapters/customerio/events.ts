/**
 * Whom events and broadcasts reach.
 *
 * @module
 */
import { asList, asRecord, asText, field, type Plain } from "../../src/adapter";

/** What a request says of its audience. */
export interface Told {
  /** Ids to be declared; none means everyone. */
  readonly audiences: readonly string[];
  /** Addresses that it names. */
  readonly people: readonly Plain[];
  /** It mails nobody after all. */
  readonly harmless?: true;
}

const harmless: Told = { audiences: [], people: [], harmless: true };

// The Track API's operations on people and objects that are no events (https://docs.customer.io/integrations/api/track).
const quietActions = new Set(
  (
    "identify identify_anonymous delete add_relationships delete_relationships add_device delete_device " +
    "suppress unsuppress merge"
  ).split(" "),
);
const eventActions = new Set(["event", "page", "screen"]);

/** One operation of the Track API, version 2. */
export function entityEvents(operation: Plain): Told | undefined {
  const action = asText(field(operation, "action")) ?? "";
  if (quietActions.has(action)) return harmless;
  return eventActions.has(action) ? eventOf(operation, "name") : undefined;
}

const quietTypes = new Set(["identify", "group", "alias"]);
const eventTypes = new Map([
  ["track", "event"],
  ["page", "name"],
  ["screen", "name"],
]);

/** Several operations in one request: of the Track API with an `action` each, of Pipelines with a `type`. */
export function batchEvents(body: Plain): Told | undefined {
  const items = field(body, "batch");
  if (!Array.isArray(items)) return undefined;
  const audiences = new Set<string>();
  const people: Plain[] = [];
  let loud = false;
  for (const item of items) {
    const told = field(item, "action") === undefined ? pipelineEvent(item) : entityEvents(item);
    if (!told) return undefined;
    if (told.harmless) continue;
    // An event without a name could be any.
    if (told.audiences.length === 0) return { audiences: [], people: told.people };
    loud = true;
    for (const id of told.audiences) audiences.add(id);
    people.push(...told.people);
  }
  return loud ? { audiences: [...audiences], people } : harmless;
}

function pipelineEvent(item: Plain): Told | undefined {
  const type = asText(field(item, "type")) ?? "";
  if (quietTypes.has(type)) return harmless;
  const name = eventTypes.get(type);
  return name === undefined ? undefined : eventOf(item, name);
}

function eventOf(item: Plain, name: string): Told {
  const id = asText(field(item, name)) ?? "";
  const people = [item, field(item, "attributes"), field(item, "data"), field(item, "properties")]
    .map((at) => field(at, "recipient"))
    .filter((one) => one !== undefined && one !== null);
  return { audiences: id === "" ? [] : [id], people };
}

/**
 * A broadcast goes to whom its request names, else to whatever audience is configured for it at Customer.io,
 * which nobody here knows: without recipients it is refused as one for everyone. The segments it names are
 * declared beside the broadcast.
 */
export function broadcastIds(body: Plain, path: string): Told {
  const id = path.split("/").at(-2) ?? "";
  const emails = asList(field(body, "emails"));
  const people = [...emails, ...asList(field(body, "per_user_data")).map((one) => field(one, "email"))];
  const named = ["emails", "ids", "per_user_data"].some((name) => asList(field(body, name)).length > 0);
  const file = (asText(field(body, "data_file_url")) ?? "") !== "";
  const filter = asRecord(field(body, "recipients"));
  const segments = segmentsIn(filter, 0);
  const filtered = filter !== undefined && Object.values(filter).some((one) => asList(one).length > 0);
  return {
    audiences: named || file || filtered ? [`broadcast:${id}`, ...segments] : [],
    people: people.filter((one) => one !== undefined && one !== null),
  };
}

/** Every segment that a filter names, however it is built. */
function segmentsIn(filter: Plain, depth: number): string[] {
  if (depth > 50) return [];
  if (Array.isArray(filter)) return filter.flatMap((one) => segmentsIn(one, depth + 1));
  return Object.entries(asRecord(filter) ?? {}).flatMap(([key, value]) => {
    const id = key === "segment" ? field(value, "id") : undefined;
    return [...(id === undefined ? [] : [`segment:${String(id)}`]), ...segmentsIn(value, depth + 1)];
  });
}
