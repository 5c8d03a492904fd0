/**
 * Sealed addresses, beside the ledger: one hash per bucket, and one more for each large call into a bucket that held
 * some before. So a call to a hundred thousand people, whose addresses come in steps, takes them in by one name.
 *
 * Invariant: a person stands in one hash of a bucket, and the former address stays. Only two large calls to one person
 * at once may leave two; the first is read, and counted apart when they are destroyed.
 *
 * @module
 */
import { script } from "./client";
import { base } from "./lua-base";

/** The hashes of a bucket, in the order they were taken in. */
const partsOf = String.raw`
local function parts_of(bucket)
  local parts = redis.call('LRANGE', KEYS[1] .. ':al:' .. bucket, 0, -1)
  table.insert(parts, 1, KEYS[1] .. ':a:' .. bucket)
  return parts
end
`;

/**
 * What `reserve` writes: `[bucket, person, ciphertext, …]`, or `[bucket]` and the name of a hash that was filled in
 * steps. Until then nobody reads it, and it goes by itself if its call does not come.
 */
export const keeping = String.raw`
local has_parts = {}
local function keep_addresses(list)
  local bucket, added = list[1], 0
  local key, others = P .. 'a:' .. bucket, P .. 'al:' .. bucket
  if has_parts[bucket] == nil then has_parts[bucket] = call('EXISTS', others) == 1 end
  for i = 2, #list, 2 do
    local known = false
    if has_parts[bucket] then
      for _, part in ipairs(call('LRANGE', others, 0, -1)) do known = known or call('HEXISTS', part, list[i]) == 1 end
    end
    if not known then added = added + call('HSETNX', key, list[i], list[i + 1]) end
  end
  if added > 0 then call('SADD', P .. 'ab', bucket) end
end
local function take_in(bucket, part)
  local key, others = P .. 'a:' .. bucket, P .. 'al:' .. bucket
  call('PERSIST', part)
  if call('EXISTS', key) == 0 and call('EXISTS', others) == 0 then call('RENAME', part, key)
  else
    call('RPUSH', others, part)
    has_parts[bucket] = true
  end
  call('SADD', P .. 'ab', bucket)
end
`;

/** How long addresses wait for their call, milliseconds: longer than any call takes. */
const waits = 3_600_000;

/** Fills a hash for `take_in`, in steps. `head`: expires, name, bucket. `ARGV`: head, person, ciphertext, …. Answers how many it holds, who are new to the bucket. */
export const fillPart = script(
  base +
    partsOf +
    String.raw`
local part, people = P .. head[2], {}
for i = 2, #ARGV, 2 do people[i / 2] = ARGV[i] end
local known = {}
for _, key in ipairs(parts_of(head[3])) do
  for i, sealed in ipairs(call('HMGET', key, unpack(people))) do known[i] = known[i] or sealed end
end
for i = 1, #people do
  if not known[i] then call('HSETNX', part, people[i], ARGV[2 * i + 1]) end
end
call('PEXPIRE', part, ${waits})
return {now, call('HLEN', part)}
`,
);

/** Drops a hash whose call was refused. `head`: expires, name. */
export const dropPart = script(`${base}call('UNLINK', P .. head[2])\nreturn {now, 1}`);

/** What some people's addresses are in one bucket. `ARGV`: bucket, people. Answers 1 and one value each. */
export const addresses = script(
  partsOf +
    String.raw`
local found = {1}
for i = 2, #ARGV do found[i] = false end
for _, key in ipairs(parts_of(ARGV[1])) do
  for i, sealed in ipairs(redis.call('HMGET', key, unpack(ARGV, 2))) do found[i + 1] = found[i + 1] or sealed end
end
return found
`,
);

/** The buckets that hold addresses, after a 1. */
export const addressBuckets = script(String.raw`
local buckets = redis.call('SMEMBERS', KEYS[1] .. ':ab')
table.insert(buckets, 1, 1)
return buckets
`);

/** Destroys a bucket. `ARGV`: head, bucket. Answers the time and how many addresses went. */
export const forgetBucket = script(
  base +
    partsOf +
    String.raw`
local gone = 0
for _, key in ipairs(parts_of(ARGV[2])) do
  gone = gone + call('HLEN', key)
  call('UNLINK', key)
end
call('DEL', P .. 'al:' .. ARGV[2])
call('SREM', P .. 'ab', ARGV[2])
return {now, gone}
`,
);

/** Destroys what every bucket holds of some people. `ARGV`: head, people. Answers the time and how many addresses went. */
export const forgetPeople = script(
  base +
    partsOf +
    String.raw`
local gone = 0
for _, bucket in ipairs(call('SMEMBERS', P .. 'ab')) do
  local left = 0
  for _, key in ipairs(parts_of(bucket)) do
    gone = gone + call('HDEL', key, unpack(ARGV, 2))
    if call('EXISTS', key) == 1 then left = left + 1 else call('LREM', P .. 'al:' .. bucket, 0, key) end
  end
  if left == 0 then call('SREM', P .. 'ab', bucket) end
end
return {now, gone}
`,
);
