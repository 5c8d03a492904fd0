/**
 * Sealed addresses, beside the ledger: one hash per bucket.
 *
 * @module
 */
import { script } from "./client";
import { base } from "./lua-base";

/** What some people's addresses are in one bucket. `ARGV`: bucket, people. Answers 1 and one value each. */
export const addresses = script(String.raw`
local found = redis.call('HMGET', KEYS[1] .. ':a:' .. ARGV[1], unpack(ARGV, 2))
table.insert(found, 1, 1)
return found
`);

/** The buckets that hold addresses, after a 1. */
export const addressBuckets = script(String.raw`
local buckets = redis.call('SMEMBERS', KEYS[1] .. ':ab')
table.insert(buckets, 1, 1)
return buckets
`);

/** Destroys a bucket. `ARGV`: head, bucket. Answers the time and how many addresses went. */
export const forgetBucket = script(
  base +
    String.raw`
local key = P .. 'a:' .. ARGV[2]
local gone = call('HLEN', key)
call('UNLINK', key)
call('SREM', P .. 'ab', ARGV[2])
return {now, gone}
`,
);

/** Destroys what every bucket holds of some people. `ARGV`: head, people. Answers the time and how many addresses went. */
export const forgetPeople = script(
  base +
    String.raw`
local gone = 0
for _, bucket in ipairs(call('SMEMBERS', P .. 'ab')) do
  local key = P .. 'a:' .. bucket
  gone = gone + call('HDEL', key, unpack(ARGV, 2))
  if call('EXISTS', key) == 0 then call('SREM', P .. 'ab', bucket) end
end
return {now, gone}
`,
);
