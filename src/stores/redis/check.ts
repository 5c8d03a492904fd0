/**
 * What a Redis server must be for a cap to hold, looked up when the store opens.
 *
 * @module
 */
import { type Clock, MailfuseError, type StoreFacts } from "../../store";
import { within } from "../deadline";
import { type Server, script } from "./client";

/** `INFO` within a script: in a cluster it is told by the very node that holds our keys. */
const information = script(String.raw`
local answers = {}
for i, section in ipairs({'server', 'memory', 'persistence', 'replication'}) do
  local text = redis.pcall('INFO', section)
  answers[i] = type(text) == 'string' and text or ''
end
return answers
`);

/** Refuses a server on which a cap would vanish; tells what its lines survive. */
export async function checkServer(server: Server, client: unknown, clock: Clock): Promise<StoreFacts> {
  const told = (await server.read(information, [])).map(String).join("\n");
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(told)?.[1];

  const version = field("valkey_version") ?? field("redis_version");
  const protocolVersion = Number(field("redis_version")?.split(".")[0] ?? 6);
  if (protocolVersion < 6) throw invalid(`Redis 6 or newer, or Valkey, got ${version}`, "Update the server.");

  const setting = (name: string) => readSetting(client, name, clock, server.deadlineMs);
  const policy = (await setting("maxmemory-policy")) ?? field("maxmemory_policy");
  if (policy !== undefined && policy !== "noeviction") {
    throw invalid(
      `the eviction policy "noeviction", got "${policy}"`,
      "Set `maxmemory-policy noeviction`, or give mailfuse a server of its own: an evicted key is a cap that is forgotten.",
    );
  }

  const appends = field("aof_enabled") === "1";
  const fsync = appends ? await setting("appendfsync") : undefined;
  const kind = field("valkey_version") ? "Valkey" : "Redis";
  const unchecked = policy === undefined ? " Its eviction policy could not be read; it must be noeviction." : "";
  return {
    kind: "redis",
    shared: true,
    durability: fsync === "always" ? "power-loss" : "process",
    says: `${kind} ${version ?? "of unknown version"}, ${survives(appends, fsync)}.${unchecked}`,
  };
}

function survives(appends: boolean, fsync: string | undefined): string {
  if (!appends) {
    return "without an append-only file: lines survive this process, but not a restart of the server, after which sending is refused (STORE_REGRESSED) until a person acknowledges";
  }
  if (fsync === "always") return "appendfsync always: lines survive a power loss of the server";
  if (fsync === "everysec")
    return "appendfsync everysec: lines survive this process; a crash of the server's machine may cost the last second";
  if (fsync === "no")
    return "appendfsync no: lines survive this process; a crash of the server's machine may cost the last half minute";
  return "with an append-only file whose appendfsync could not be read: lines survive this process";
}

/** Managed services forbid `CONFIG`: then it is unknown. */
async function readSetting(client: unknown, name: string, clock: Clock, ms: number): Promise<string | undefined> {
  const { configGet, config } = client as { configGet?: unknown; config?: unknown };
  try {
    const answer = await within<unknown>(clock, ms, "Redis", async () => {
      if (typeof configGet === "function") return configGet.call(client, name);
      return typeof config === "function" ? config.call(client, "GET", name) : undefined;
    });
    const value = Array.isArray(answer) ? answer[1] : (answer as Record<string, unknown> | undefined)?.[name];
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A configuration on which a cap would not hold. */
export function invalid(expected: string, fix: string, where = "redisStore"): MailfuseError {
  return new MailfuseError({ code: "CONFIG_INVALID", message: `Expected ${expected}.`, fix, where });
}
