/**
 * Plans, and the states of their entries. The sealed bytes lie elsewhere.
 *
 * @module
 */
import { script } from "./client";
import { base, judging, repeatable } from "./lua-base";
import { entries } from "./lua-entries";
import { judge, open, windows } from "./lua-windows";

/** Invariant: an id is taken once; the line is written with the plan. `ARGV`: head, event, id, state, record. */
export const addPlan = script(
  base +
    repeatable +
    String.raw`
local key = P .. 'p:' .. ARGV[3]
if call('EXISTS', key) == 1 then return answer({now, 0}) end
local number = line(ARGV[2])
call('HSET', key, 'state', ARGV[4], 'version', 1, 'record', ARGV[5], 'at', whole(now))
call('ZADD', P .. 'plans', whole(number), ARGV[3])
save()
return answer({now, 1})
`,
);

/** One plan: state, version, record, time; nothing when there is none. `ARGV`: id. */
export const plan = script(String.raw`
local row = redis.call('HMGET', KEYS[1] .. ':p:' .. ARGV[1], 'state', 'version', 'record', 'at')
if not row[1] then return {0} end
return {1, row[1], row[2], row[3], row[4]}
`);

/** Plans, the newest first: id, state, version, record, time, id, … `ARGV`: how many at most. */
export const plans = script(String.raw`
local rows = {1}
for _, id in ipairs(redis.call('ZREVRANGE', KEYS[1] .. ':plans', 0, tonumber(ARGV[1]) - 1)) do
  local row = redis.call('HMGET', KEYS[1] .. ':p:' .. id, 'state', 'version', 'record', 'at')
  local n = #rows
  rows[n + 1] = id
  for i = 1, 4 do rows[n + 1 + i] = row[i] end
end
return rows
`);

/**
 * Invariant: version, tokens, caps, record and line change together or not at all; a token is spent once. Judged in
 * the order version, halted, tokens, caps.
 *
 * `head`: expires, nonce, dry, id, version, scopes, tokens `[id, until]`, windows, specs, groups, references to people,
 * stamp of staged people. `ARGV`: head, event, state, record, packed people.
 */
export const changePlan = script(
  judging("head[6]", "head[8]") +
    repeatable +
    open +
    windows +
    "local specs = head[9]\n" +
    judge +
    String.raw`
local key, dry = P .. 'p:' .. head[4], head[3] == 1
local version = call('HGET', key, 'version')
if not version or tonumber(version) ~= head[5] then return answer({now, 'version'}) end
for _, scope in ipairs(head[6]) do
  if halted[scope] then return answer({now, 'halted', halted[scope]}) end
end
local spent = {}
for i, token in ipairs(head[7]) do
  local till = call('GET', P .. 't:' .. token[1])
  if spent[token[1]] or (till and now < tonumber(till)) then return answer({now, 'token', i}) end
  spent[token[1]] = true
end
if dry then return answer({now, 'dry'}) end
local refusal = judge(head[10], head[11])
if refusal then return answer({now, unpack(refusal)}) end
local own = tonumber(head[12])
if own == 0 then
  own = math.max(stamp + 4, now * 1000)
  extra = {'stamp', whole(own)}
elseif now * 1000 > own then return {now, 'late'} end
spend(own, whole(own))
for _, token in ipairs(head[7]) do
  if token[2] > now then call('SET', P .. 't:' .. token[1], whole(token[2]), 'PX', whole(token[2] - now)) end
end
local number = line(ARGV[2])
call('HSET', key, 'state', ARGV[3], 'version', whole(head[5] + 1), 'record', ARGV[4])
keep(0)
save()
return answer({now, 'ok', number})
`,
);

/** The states of some entries, one letter each, NUL for those not there. `ARGV`: plan, indexes as JSON. */
export const statesOf = script(String.raw`
local letters = {}
for i, index in ipairs(cjson.decode(ARGV[2])) do
  local letter = redis.call('GETRANGE', KEYS[1] .. ':e:' .. ARGV[1], index, index)
  letters[i] = letter == '' and '\0' or letter
end
return {table.concat(letters)}
`);

/** Lets entries wait whose bytes are kept; one already there is left as it is. `head`: expires, plan, indexes. */
export const addEntries = script(
  base +
    entries +
    String.raw`
local plan, added, lowest = head[2], 0, nil
for _, index in ipairs(head[3]) do
  local state = at_entry(plan, index)
  if state == '' or state == '\0' then
    call('SETRANGE', P .. 'e:' .. plan, index, 'w')
    added = added + 1
    if not lowest or index < lowest then lowest = index end
  end
end
if added > 0 then
  call('HINCRBY', P .. 'ec:' .. plan, 'w', added)
  local from = tonumber(call('HGET', P .. 'ec:' .. plan, 'from') or 0)
  if lowest < from then call('HSET', P .. 'ec:' .. plan, 'from', lowest) end
end
return {now, added}
`,
);

/**
 * Invariant: an entry is leased to one worker at a time, and only while it waits or its lease has run out. `from` is
 * kept below the first waiting entry, so that a release of n entries looks at each once.
 *
 * `head`: expires, plan, how many, milliseconds, below which index.
 */
export const claimEntries = script(
  base +
    entries +
    String.raw`
local plan, most, ms, below = head[2], head[3], head[4], head[5]
local states, untils, counts = P .. 'e:' .. plan, P .. 'eu:' .. plan, P .. 'ec:' .. plan
if most < 1 or call('HGET', counts, 'dropped') then return {now, 0} end
local found = {}
for _, index in ipairs(call('ZRANGEBYSCORE', untils, '-inf', whole(now))) do
  if tonumber(index) < below then found[#found + 1] = tonumber(index) end
end
local from, length, waiting = tonumber(call('HGET', counts, 'from') or 0), call('STRLEN', states), 0
local place, first, stop = from, nil, math.min(length, below)
while place < stop and waiting < most do
  local block = call('GETRANGE', states, place, math.min(place + 65535, stop - 1))
  local at = 1
  while waiting < most do
    local hit = string.find(block, 'w', at, true)
    if not hit then break end
    waiting = waiting + 1
    found[#found + 1] = place + hit - 1
    first = first or place + hit - 1
    at = hit + 1
  end
  if waiting < most then place = place + #block end
end
call('HSET', counts, 'from', whole(first or math.max(from, stop)))
table.sort(found)
local claimed = {now, 0}
for i = 1, math.min(most, #found) do
  local index = found[i]
  local state = at_entry(plan, index)
  if state == 'w' then move(plan, index, 'w', 'c') end
  call('ZADD', untils, whole(now + ms), whole(index))
  claimed[i + 2] = index
end
return claimed
`,
);

/** How many entries stand in each state: letter, count, … `ARGV`: plan. */
export const countEntries = script(String.raw`
local counts = redis.call('HGETALL', KEYS[1] .. ':ec:' .. ARGV[1])
table.insert(counts, 1, 1)
return counts
`);

/** Indexes of entries in one state, in order. `ARGV`: plan, letter, after, how many at most. */
export const entriesIn = script(String.raw`
local key, letter, place, most = KEYS[1] .. ':e:' .. ARGV[1], ARGV[2], tonumber(ARGV[3]) + 1, tonumber(ARGV[4])
local length, found = redis.call('STRLEN', key), {1}
while place < length and #found <= most do
  local block, at = redis.call('GETRANGE', key, place, place + 65535), 1
  while #found <= most do
    local hit = string.find(block, letter, at, true)
    if not hit then break end
    found[#found + 1] = place + hit - 1
    at = hit + 1
  end
  place = place + #block
end
return found
`);

/** Lets all entries of one state wait again. `ARGV`: head, event, plan, letter. */
export const requeue = script(
  base +
    repeatable +
    String.raw`
local states, letter, n = P .. 'e:' .. ARGV[3], ARGV[4], 0
local counts = P .. 'ec:' .. ARGV[3]
line(ARGV[2])
save()
for place = 0, call('STRLEN', states) - 1, 65536 do
  local block, hits = string.gsub(call('GETRANGE', states, place, place + 65535), letter, 'w')
  if hits > 0 then call('SETRANGE', states, place, block) end
  n = n + hits
end
if n > 0 then
  call('HINCRBY', counts, letter, -n)
  call('HINCRBY', counts, 'w', n)
  call('HSET', counts, 'from', 0)
  if letter == 'c' then call('DEL', P .. 'eu:' .. ARGV[3]) end
end
return answer({now, n})
`,
);

/**
 * Moves entries: accepted ones to told (`t`), waiting and claimed ones to removed (`d`); others stay. `head`: expires,
 * plan, indexes, letter.
 */
export const markEntries = script(
  base +
    entries +
    String.raw`
local plan, to, n = head[2], head[4], 0
for _, index in ipairs(head[3]) do
  local state = at_entry(plan, index)
  if (to == 't' and state == 'a') or (to == 'd' and (state == 'w' or state == 'c')) then
    move(plan, index, state, to)
    if state == 'c' then call('ZREM', P .. 'eu:' .. plan, whole(index)) end
    n = n + 1
  end
end
return {now, n}
`,
);

/** From now on nobody claims an entry of this plan. `head`: expires, plan. */
export const dropEntries = script(`${base}call('HSET', P .. 'ec:' .. head[2], 'dropped', '1')\nreturn {now, 1}`);
