/**
 * The ledger, halts, leases and values.
 *
 * @module
 */
import { acknowledgedGap } from "../../store";
import { script } from "./client";
import { base, repeatable } from "./lua-base";

/** Only the time. `head`: expires. */
export const time = script(`${base}return {now, seq}`);

/** Invariant: numbers follow one another without a gap, whoever appends. */
export const append = script(
  base +
    repeatable +
    String.raw`
local numbers = {now}
for i = 2, #ARGV do numbers[i] = line(ARGV[i]) end
save()
return answer(numbers)
`,
);

/**
 * Lines after a number, oldest first: number, time, event, number, … `ARGV`: number, most lines.
 * An entry of the stream holds up to a thousand lines, so it is read a few entries at a time.
 */
export const read = script(String.raw`
local key, lines, most = KEYS[1] .. ':ledger', {1}, tonumber(ARGV[2])
local after = math.max(tonumber(ARGV[1]), tonumber(redis.call('HGET', KEYS[1] .. ':meta', 'trimmed') or 0))
local n = 0
while n < most do
  local found = redis.call('XRANGE', key, string.format('%.0f', after + 1) .. '-0', '+', 'COUNT', math.min(most - n, 50))
  if #found == 0 then break end
  for _, entry in ipairs(found) do
    local last, fields = tonumber(string.match(entry[1], '^%d+')), entry[2]
    local first = last - #fields / 2 + 2
    for number = math.max(first, after + 1), last do
      if n == most then break end
      lines[3 * n + 2] = string.format('%.0f', number)
      lines[3 * n + 3] = fields[2]
      lines[3 * n + 4] = fields[2 * (number - first) + 4]
      n = n + 1
    end
    after = last
  end
end
return lines
`);

/**
 * Drops lines up to a number, at most a hundred entries of the stream in one step: answers 1 while some are left. An
 * entry goes with its last line; until then the former ones are not read. The number of the newest line is kept
 * elsewhere, so none is used again.
 */
export const trim = script(String.raw`
local key, meta, to = KEYS[1] .. ':ledger', KEYS[1] .. ':meta', tonumber(ARGV[1])
to = math.min(to, tonumber(redis.call('HGET', meta, 'seq') or 0))
if to > tonumber(redis.call('HGET', meta, 'trimmed') or 0) then
  redis.call('HSET', meta, 'trimmed', string.format('%.0f', to))
end
local old = redis.call('XRANGE', key, '-', string.format('%.0f', to) .. '-0', 'COUNT', 100)
local ids = {}
for i, entry in ipairs(old) do ids[i] = entry[1] end
if #ids > 0 then redis.call('XDEL', key, unpack(ids)) end
return {#ids == 100 and 1 or 0}
`);

/** Invariant: a halt and its line are written together; the newest record of a scope is kept. `ARGV`: head, event, scope, record. */
export const halt = script(
  base +
    repeatable +
    String.raw`
call('HSET', P .. 'meta', 'h:' .. ARGV[3], whole(now) .. '\n' .. ARGV[4])
line(ARGV[2])
save()
return answer({now, 1})
`,
);

/** Invariant: the line is written whether the scope was halted or not. `ARGV`: head, event, scope. */
export const resume = script(
  base +
    repeatable +
    String.raw`
local was = call('HDEL', P .. 'meta', 'h:' .. ARGV[3])
line(ARGV[2])
save()
return answer({now, was})
`,
);

/** The records of everything that is halted. */
export const halts = script(String.raw`
local all, found = redis.call('HGETALL', KEYS[1] .. ':meta'), {1}
for i = 1, #all, 2 do
  if string.sub(all[i], 1, 2) == 'h:' then found[#found + 1] = all[i + 1] end
end
return found
`);

/** Invariant: after a loss, numbering goes on above everything any process has presented. `ARGV`: head, event. */
export const acknowledge = script(
  base +
    repeatable +
    String.raw`
if lost > 0 then seq = math.max(seq, lost) + ${acknowledgedGap} end
local number = line(ARGV[2])
extra = {'lost', '0'}
save()
return answer({now, number})
`,
);

/** How many people each window holds; those whose time is over are not counted. `head`: expires, windows `[key, length]`. */
export const usage = script(
  base +
    String.raw`
local counts = {now}
for i, def in ipairs(head[2]) do
  counts[i + 1] = call('ZCOUNT', P .. def[1], '(' .. whole((now - def[2]) * 1000 + 999), '+inf')
end
return counts
`,
);

/** Invariant: one holder at a time. `head`: expires, name, holder, milliseconds; 0 gives one's own back. */
export const lease = script(
  base +
    String.raw`
local key = P .. 'l:' .. head[2]
local till, holder = string.match(call('GET', key) or '', '^(%d+)\n(.*)$')
if holder and holder ~= head[3] and now < tonumber(till) then return {now, 0} end
if head[4] <= 0 then call('DEL', key)
else call('SET', key, whole(now + head[4]) .. '\n' .. head[3], 'PX', whole(head[4])) end
return {now, 1}
`,
);

/** Invariant: the first writer's value stands. `ARGV`: head, name, value. */
export const setOnce = script(
  base +
    String.raw`
call('HSETNX', P .. 'v', ARGV[2], ARGV[3])
return {now, call('HGET', P .. 'v', ARGV[2])}
`,
);

/** `ARGV`: name. */
export const value = script(String.raw`return {redis.call('HGET', KEYS[1] .. ':v', ARGV[1])}`);

/** `ARGV`: head, name. */
export const forget = script(`${base}call('HDEL', P .. 'v', ARGV[2])\nreturn {now, 1}`);
