/**
 * Settling.
 *
 * @module
 */
import { script } from "./client";
import { base } from "./lua-base";
import { entries, reservations } from "./lua-entries";

/**
 * Invariant: the first outcome of a reservation counts, every further one changes nothing and gets the first
 * one's number. Only `refused` gives back, and only what this reservation brought in.
 *
 * `head`: expires, settlements `[id, fate, letter, message id as JSON or "", refused people]`. `ARGV`: head, events.
 */
export const settle = script(
  base +
    entries +
    reservations +
    String.raw`
local function window(key, own, fate, refused)
  if fate == 'refused' then return call('ZREMRANGEBYSCORE', key, own, own) end
  for _, person in ipairs(refused) do
    local score = call('ZSCORE', key, person)
    if score and tonumber(score) == tonumber(own) then call('ZREM', key, person) end
  end
end
local function claim(key, id, since, fate, message)
  local till, holder = string.match(call('GET', key) or '', '^%d+\n%a+\n[^\n]*\n(%d+)\n(.*)$')
  if holder ~= id then return end
  if fate == 'refused' then call('DEL', key)
  else call('SET', key, since .. '\n' .. fate .. '\n' .. message .. '\n' .. till .. '\n' .. id, 'KEEPTTL') end
end
local function entry(index, plan, id, since, letter, message)
  if at_entry(plan, index) ~= 'r' then return end
  local key = P .. 'eb:' .. plan
  if string.match(call('HGET', key, index) or '', '^%d+\n[^\n]*\n(.*)$') ~= id then return end
  move(plan, index, 'r', letter)
  call('HSET', key, index, since .. '\n' .. message .. '\n' .. id)
end
local function settled(s, event)
  local id, fate, letter, message, refused = s[1], s[2], s[3], s[4], s[5]
  local text, where
  for back = 0, 6 do
    where = bucket(back)
    text = call('HGET', where, id)
    if text then break end
  end
  if text and sub(text, 1, 1) == 'S' then return tonumber(string.match(text, '^S(%d+)')) end
  local number = line(event)
  local outcome = ':' .. fate .. ':' .. message
  if not text then
    call('HSET', bucket(0), id, 'S' .. whole(number) .. ':' .. time .. outcome)
    begin_hour()
    return number
  end
  local since, own, at = string.match(text, '^R%d+:(%d+):(%d+):[^\n]*\n()')
  call('HSET', where, id, 'S' .. whole(number) .. ':' .. since .. outcome)
  while at <= #text do
    local kind = sub(text, at, at)
    if kind == 'e' then
      local index, plan = string.match(text, '^e:(%d+):(.*)$', at)
      entry(index, plan, id, since, letter, message)
      break
    end
    local stop = string.find(text, '\n', at, true)
    local key = P .. sub(text, at, stop - 1)
    if kind == 'o' then claim(key, id, since, fate, message)
    elseif kind == 'c' or fate == 'refused' then window(key, own, fate, refused) end
    at = stop + 1
  end
  return number
end
local answers = {now}
for i, s in ipairs(head[2]) do answers[i + 1] = settled(s, ARGV[i + 1]) end
save()
return answers
`,
);
