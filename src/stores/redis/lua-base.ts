/**
 * What every script starts with. All keys begin with `KEYS[1]`, which is `{prefix}`: the braces keep one
 * fuse's keys in one slot of a cluster.
 *
 * | key | type | holds |
 * | --- | --- | --- |
 * | `meta` | hash | `seq` and `at` of the newest ledger line, `stamp` and `staged` last given, `lost`: the highest number presented since a loss, `hour`: the newest one of reservations; `h:<scope>` a halt: time, newline, record; `w:<window>` when its expiry was last set |
 * | `ledger` | stream | lines by number: `e` the event, `t` the time |
 * | `c:<key>` | sorted set | a cap's people by stamp |
 * | `m:<key>` | sorted set | a rate's messages by stamp |
 * | `o:<key>` | string | who holds a claim: time, state, message id as JSON, until when, reservation, by newlines |
 * | `r:<hour>` | hash | reservations of that hour: what to give back, then how they ended |
 * | `a:<bucket>`, `ab` | hash, set | sealed addresses by person; the buckets that hold some |
 * | `p:<id>`, `plans` | hash, sorted set | plans, and their order |
 * | `t:<id>` | string | spent tokens, and until when |
 * | `e:<plan>` | string | one letter per entry: its state |
 * | `eb:<plan>`, `eu:<plan>`, `ec:<plan>` | hash, sorted set, hash | who reserved an entry; leases; entries by state |
 * | `v`, `l:<name>`, `x:<nonce>` | hash, string, string | values; leases; answers to calls that a client may repeat |
 *
 * What is over is known by the store's own time, which stands in the values; Redis' expiry only clears away.
 *
 * @module
 */

/**
 * The clock never goes back: it is the later of the server's and the newest line's. Numbers are written with
 * `%.0f`, because Lua's own form of a number keeps 14 digits.
 */
const start = String.raw`
local P, call, fmt, floor, sub = KEYS[1] .. ':', redis.call, string.format, math.floor, string.sub
local function whole(n) return fmt('%.0f', n) end
local head = cjson.decode(ARGV[1])
local clock = call('TIME')
local now = tonumber(clock[1]) * 1000 + floor(tonumber(clock[2]) / 1000)
local seq, at, stamp, lost, hour, staged
local function read(meta)
  seq, at, stamp = tonumber(meta[1]) or 0, tonumber(meta[2]) or 0, tonumber(meta[3]) or 0
  lost, hour, staged = tonumber(meta[4]) or 0, tonumber(meta[5]) or 0, tonumber(meta[6]) or 0
  if now < at then now = at end
end
local extra, halted, marks = {}, {}, {}
local function line(event)
  seq, at = seq + 1, now
  call('XADD', P .. 'ledger', whole(seq) .. '-0', 'e', event, 't', whole(now))
  return seq
end
local function save() call('HSET', P .. 'meta', 'seq', whole(seq), 'at', whole(at), unpack(extra)) end
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
local names, capped = {${fields}}, {}
for i = 1, #scopes do names[6 + i] = 'h:' .. scopes[i] end
for i = 1, #keys do
  local name = keys[i][1]
  if sub(name, 1, 2) == 'c:' then
    capped[#capped + 1] = name
    names[#names + 1] = 'w:' .. name
  end
end
local meta = call('HMGET', P .. 'meta', unpack(names))
read(meta)
for i = 1, #scopes do halted[scopes[i]] = meta[6 + i] end
for i = 1, #capped do marks[capped[i]] = meta[6 + #scopes + i] end
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

/**
 * Windows. A stamp is the time in microseconds, raised so that no two reservations share one: people brought
 * in by a reservation have its stamp as their score, people it counts again have the next higher number. So
 * a refund takes out exactly those whom the reservation brought in and whom nobody has counted since, without
 * a list of them. Stamps are multiples of 4; staged ones (4n + 2) lie ahead of time, see lua-stage.
 *
 * People whose time is over still stand in the set for a while: they are dropped before anything is refused, and now
 * and then. So the set is never too small, and never holds more than the limit.
 *
 * A rate's expiry is set with every message. A cap's lasts two lengths and is set once in half a length, when `meta`
 * says that it is due.
 */
export const windows = String.raw`
local states = {}
local function cutoff(ms) return (now - ms) * 1000 + 999 end
local function prune(w)
  if w.card > 0 and not w.pruned then
    w.card = w.card - call('ZREMRANGEBYSCORE', w.key, '-inf', whole(cutoff(w.ms)))
  end
  w.pruned = true
end
local function window(def)
  local w = states[def[1]]
  if not w then
    local key = P .. def[1]
    w = { key = key, ms = def[2], name = def[1], card = call('ZCARD', key) }
    states[def[1]] = w
    if seq % 8 == 0 then prune(w) end
  end
  return w
end
local function members(ref)
  if type(ref) == 'string' then return {ref} end
  if ref[1] == 0 then return ref[2] end
  local packed, width, list, n = ARGV[ref[1]], ref[2], {}, 0
  for i = 1, #packed, width do
    n = n + 1
    list[n] = sub(packed, i, i + width - 1)
  end
  return list
end
local function missing(w, list)
  local n = 0
  for i = 1, #list do if not call('ZSCORE', w.key, list[i]) then n = n + 1 end end
  return n
end
local function again(w, person, own)
  local score = tonumber(call('ZSCORE', w.key, person)) or 0
  if score ~= own then call('ZADD', w.key, whole(score <= cutoff(w.ms) and own or own + 1), person) end
end
local function add(w, list, score)
  local n, added = #list, 0
  for from = 1, n, 1000 do
    local args, k = {}, 0
    for i = from, math.min(from + 999, n) do
      args[k + 1], args[k + 2] = score, list[i]
      k = k + 2
    end
    added = added + call('ZADD', w.key, 'NX', unpack(args, 1, k))
  end
  w.card = w.card + added
  return n - added
end
local function count(w, ref, own, score)
  w.touched = true
  if type(ref) == 'string' then
    if call('ZADD', w.key, 'NX', score, ref) == 1 then w.card = w.card + 1 else again(w, ref, own) end
  elseif add(w, ref, score) > 0 then
    for i = 1, #ref do again(w, ref[i], own) end
  end
end
local function send(w, messages, score)
  w.touched = true
  local list = {}
  for i = 1, messages do list[i] = score .. ':' .. i end
  add(w, list, score)
end
local function keep(slack)
  for name, w in pairs(states) do
    if w.touched then
      local mark = tonumber(marks[name])
      if sub(name, 1, 2) == 'm:' then call('PEXPIRE', w.key, whole(w.ms + slack + 60000))
      elseif not mark or now < mark or now - mark > w.ms / 2 then
        call('PEXPIRE', w.key, whole(2 * w.ms + slack + 60000))
        extra[#extra + 1] = 'w:' .. name
        extra[#extra + 1] = whole(now)
      end
    end
  end
end
`;

/**
 * Judges spends and spends nothing: what refuses one cap must leave the others untouched. Every cap is looked
 * at, also behind the first that refuses, because each may have a halt to latch. Answers the refusal, if any,
 * and the spends that are not enforced and would have refused; `passW` and `passR` hold what to spend.
 *
 * A spec is `[window, limit, enforce, halt scope, halt record]`. Spends are lists of specs, each with a reference to
 * people: text for one person, a number for messages, `[n, width]` for argument n cut at that width, `[0, list]`,
 * `[-1]` for people staged before, `[-2, used, wanted]` for staging that found no room.
 */
export const judge = String.raw`
local function latch(scope, record)
  local text = whole(now) .. '\n' .. record
  if call('HSETNX', P .. 'meta', 'h:' .. scope, text) == 1 then halted[scope] = text end
end
local passW, passR, passes = {}, {}, 0
local none = {}
local function judge(keys, specs, spends)
  local refusal, exceeded, done = nil, none, nil
  passes = 0
  for j = 1, #spends, 2 do
    local ref = spends[j + 1]
    local kind, list = type(ref), nil
    for _, place in ipairs(spends[j]) do
      local spec = specs[place]
      local limit = spec[2]
      local w, used, wanted, room
      if kind == 'table' and ref[1] == -1 then room = true
      elseif kind == 'table' and ref[1] == -2 then room, used, wanted = false, ref[2], ref[3]
      else
        w = window(keys[spec[1]])
        if kind == 'table' then list = list or members(ref) else list = ref end
        wanted = kind == 'number' and ref or kind == 'string' and 1 or #list
        room = w.card + wanted <= limit
        if not room then
          prune(w)
          used = w.card
          if kind == 'table' then wanted = missing(w, list)
          elseif kind == 'string' and call('ZSCORE', w.key, ref) then wanted = 0 end
          room = used + wanted <= limit
        end
      end
      if not room then
        if spec[4] then latch(spec[4], spec[5]) end
        if spec[3] == 0 then
          if exceeded == none then exceeded = {} end
          exceeded[#exceeded + 1] = place
        elseif not refusal then refusal = {'cap', place, used, wanted} end
      elseif w and not (done and done[w]) then
        passes = passes + 1
        passW[passes], passR[passes] = w, list
        done = done or {}
        done[w] = true
      end
    end
  end
  return refusal, exceeded
end
local function spend(own, score)
  for i = 1, passes do
    if type(passR[i]) == 'number' then send(passW[i], passR[i], score) else count(passW[i], passR[i], own, score) end
  end
end
`;
