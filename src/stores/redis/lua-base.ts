/**
 * What every script starts with. All keys begin with `KEYS[1]`, which is `{prefix}`: the braces keep one
 * fuse's keys in one slot of a cluster.
 *
 * | key | type | holds |
 * | --- | --- | --- |
 * | `meta` | hash | `seq` and `at` of the newest ledger line, `stamp` and `staged` last given, `lost`: the highest number presented since a loss, `hour`: the newest one of reservations, `trimmed`: up to where lines are gone; `h:<scope>` a halt: time, newline, record; `w:<window>` when its expiry was last set |
 * | `ledger` | stream | the lines of one call each: `t` the time, then `e` an event, …; its id is the number of the last |
 * | `c:<key>` | sorted set | a cap's people by stamp |
 * | `m:<key>` | sorted set | a rate's messages by stamp |
 * | `o:<key>` | string | who holds a claim: time, state, message id as JSON, until when, reservation, by newlines |
 * | `r:<hour>` | hash | reservations of that hour: what to give back, then how they ended |
 * | `a:<bucket>`, `ab` | hash, set | sealed addresses by person; the buckets that hold some |
 * | `as:<nonce>`, `al:<bucket>` | hash, list | addresses of a large call; which of them a bucket holds as well |
 * | `p:<id>`, `plans` | hash, sorted set | plans, and their order |
 * | `t:<id>` | string | spent tokens, and until when |
 * | `e:<plan>` | string | one letter per entry: its state |
 * | `eb:<plan>`, `eu:<plan>`, `ec:<plan>` | hash, sorted set, hash | who reserved an entry; leases; entries by state |
 * | `v`, `l:<name>`, `x:<nonce>` | hash, string, string | values; leases; answers to calls that a client may repeat |
 *
 * `<key>` is written so that it holds no newline, see `written` in names. What is over is known by the store's own
 * time, which stands in the values; Redis' expiry only clears away.
 *
 * @module
 */

/**
 * The clock never goes back: it is the later of the server's and the newest line's. Lua's own form of a number keeps
 * 14 digits; `%d` keeps all where the server has 64 bits, and takes a third of the time of `%.0f`.
 *
 * A script's lines are one entry of the stream, written at its end. Lua's stack bounds how many.
 */
const start = String.raw`
local P, call, fmt, floor, sub = KEYS[1] .. ':', redis.call, string.format, math.floor, string.sub
local digits = fmt('%d', 9007199254740991) == '9007199254740991' and '%d' or '%.0f'
local function whole(n) return fmt(digits, n) end
local head = cjson.decode(ARGV[1])
local clock = call('TIME')
local now, time = tonumber(clock[1]) * 1000 + floor(tonumber(clock[2]) / 1000), nil
local seq, at, stamp, lost, hour, staged
local function read(meta)
  seq, at, stamp = tonumber(meta[1]) or 0, tonumber(meta[2]) or 0, tonumber(meta[3]) or 0
  lost, hour, staged = tonumber(meta[4]) or 0, tonumber(meta[5]) or 0, tonumber(meta[6]) or 0
  if now < at then now = at end
  time = whole(now)
end
local extra, events, lines = {}, {}, 0
local function write_lines()
  if lines > 0 then call('XADD', P .. 'ledger', whole(seq) .. '-0', 't', time, unpack(events, 1, 2 * lines)) end
  lines = 0
end
local function line(event)
  if lines == 1000 then write_lines() end
  seq, lines = seq + 1, lines + 1
  events[2 * lines - 1], events[2 * lines] = 'e', event
  return seq
end
local function save()
  if lines > 0 then at = now end
  write_lines()
  call('HSET', P .. 'meta', 'seq', whole(seq), 'at', whole(at), unpack(extra))
end
`;

/** The fields of `meta` in the order `read` takes them. */
const fields = "'seq', 'at', 'stamp', 'lost', 'hour', 'staged'";

/** A call that arrives after the time it carries changes nothing and answers with the time alone. */
const late = "if head[1] > 0 and now > head[1] then return {now} end\n";

/** What scripts start with that read nothing further of `meta`. */
export const base = `${start}read(call('HMGET', P .. 'meta', ${fields}))\n${late}`;

/**
 * What scripts start with that judge: the halts of `scopes(head)` and the expiries of caps in `windows(head)` come
 * with the rest of `meta`, in one call.
 */
export function judging(scopes: string, windows: string): string {
  return String.raw`${start}
local scopes, keys = ${scopes}, ${windows}
local names, halted, marks = {${fields}}, {}, {}
for i = 1, #scopes do names[6 + i] = 'h:' .. scopes[i] end
for i = 1, #keys do names[6 + #scopes + i] = 'w:' .. keys[i][1] end
local meta = call('HMGET', P .. 'meta', unpack(names))
read(meta)
for i = 1, #scopes do halted[scopes[i]] = meta[6 + i] or nil end
for i = 1, #keys do marks[i] = meta[6 + #scopes + i] end
${late}`;
}

/**
 * A client that lost its connection may send a call again that was carried out. The nonce in `head[2]` gives
 * the repeat the first answer. A minute is longer than any deadline.
 */
export const repeatable = String.raw`
local memo = P .. 'x:' .. head[2]
local known = call('GET', memo)
if known then return cmsgpack.unpack(known) end
local function answer(reply)
  call('SET', memo, cmsgpack.pack(reply), 'PX', 60000)
  return reply
end
`;
