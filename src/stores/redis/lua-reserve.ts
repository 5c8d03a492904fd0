/**
 * Reserving.
 *
 * @module
 */
import { script } from "./client";
import { keeping } from "./lua-addresses";
import { judging } from "./lua-base";
import { entries, reservations } from "./lua-entries";
import { judge, open, windows } from "./lua-windows";

/**
 * Most mails: nothing in the way, room in every window, each cap for one person. Whatever else is found, nothing stays
 * written, and `careful` judges from the start. It is apart because making Lua's functions costs more than calling them.
 */
const plain = String.raw`
local function plain(r, i)
  local shape, id, refs = shapes[r[1]], r[2], r[4]
  local scopes, claims, groups = shape[1], shape[2], shape[3]
  local own = math.max(stamp + 4, now * 1000)
  if r[5] ~= 0 or dry or lost > 0 or r[3] > seq or known[id] or own <= staged then return end
  for s = 1, #scopes do if halted[scopes[s]] then return end end
  for g = 1, #groups do
    if type(refs[g]) ~= 'string' then return end
    for s = 1, #groups[g] do
      local spec = specs[groups[g][s]]
      if ws[spec[1]].card >= spec[2] then return end
    end
  end
  local names = ''
  for c = 1, #claims do
    local name = r[6 + c]
    if not call('SET', P .. name, claims[c].held .. id, 'NX', 'PX', claims[c].px) then
      for d = 1, c - 1 do call('DEL', P .. r[6 + d]) end
      return
    end
    names = names .. name .. '\n'
  end
  local score = whole(own)
  for g = 1, #groups do
    for s = 1, #groups[g] do
      local w = ws[specs[groups[g][s]][1]]
      w.touched = true
      -- Who stood here before is not given back.
      if call('ZADD', w.key, score, refs[g]) == 1 then
        w.card = w.card + 1
        names = w.name .. '\n' .. names
      end
    end
  end
  stamp = own
  if r[6] ~= 0 then keep_addresses(cjson.decode(ARGV[r[6]])) end
  return remember(id, score, names, ARGV[1 + i])
end
`;

/** The whole rule, for whatever is asked. */
const careful = String.raw`
local function blocked(key, claim)
  local text = call('GET', key)
  if not text then return end
  local since, state, till = string.match(text, '^(%d+)\n(%a+)\n[^\n]*\n(%d+)\n')
  if now >= tonumber(till) then return end
  if claim[2] == 0 or state == 'accepted' then return text end
  if state == 'reserved' and (claim[3] < 0 or now < tonumber(since) + claim[3]) then return text end
end
-- A repeat by the client finds its own people, claims and entry in the way: it gets the first answer.
local function refuse(id, reply)
  local text = known[id]
  if not text then return reply end
  local s, t, n = string.match(text, '^R(%d+):(%d+):%d+:([^\n]*)\n')
  if n == nonce and not told[id] then
    told[id] = true
    return {'again', tonumber(s), tonumber(t)}
  end
  return reply or {'reservation', text}
end
local function one(r, i)
  local shape, id, rest = shapes[r[1]], r[2], r[5] ~= 0 and r[5] or {{}, '', false, '0', ''}
  if lost > 0 or r[3] > seq then
    if r[3] > lost then lost = r[3] end
    return {'regressed', seq}
  end
  for _, scope in ipairs(shape[1]) do
    if halted[scope] then return refuse(id, {'halted', scope, halted[scope]}) end
  end
  local taken, own_claim, over, claims = {}, {}, {}, ''
  local function undo(reply)
    for _, key in ipairs(taken) do call('DEL', key) end
    return refuse(id, reply)
  end
  for c, claim in ipairs(shape[2]) do
    local key = P .. r[6 + c]
    claims = claims .. r[6 + c] .. '\n'
    if call('SET', key, claim.held .. id, 'NX', 'PX', claim.px) then taken[#taken + 1], own_claim[key] = key, true
    elseif not own_claim[key] then
      local found = blocked(key, claim)
      if found then return undo({'once', c, found}) end
      over[#over + 1] = c
    end
  end
  local entry, mark = rest[3], ''
  if entry then
    local state = at_entry(entry[1], entry[2])
    if state ~= 'w' and state ~= 'c' then
      return undo({'entry', state, call('HGET', P .. 'eb:' .. entry[1], whole(entry[2])) or ''})
    end
    mark = 'e:' .. whole(entry[2]) .. ':' .. entry[1]
  end
  local groups = {}
  for g, group in ipairs(shape[3]) do groups[g] = group end
  for _, group in ipairs(rest[1]) do groups[#groups + 1] = group end
  local refusal, exceeded = judge(groups, r[4])
  if refusal then return undo(refusal) end
  if dry then return undo(nil) or {'dry'} end
  if known[id] then return undo(nil) end
  local own, part = tonumber(rest[4]), rest[5]
  if part ~= '' and call('EXISTS', P .. part) == 0 then return undo({'late'}) end
  if own == 0 then
    own = math.max(stamp + 4, now * 1000)
    stamp = own
  -- Staged people were given a time to come. Past it they would leave their window too early.
  elseif now * 1000 > own then return undo({'late'}) end
  local score = whole(own)
  spend(own, score)
  for _, c in ipairs(over) do
    call('SET', P .. r[6 + c], shape[2][c].held .. id, 'PX', shape[2][c].px)
  end
  if entry then
    move(entry[1], entry[2], at_entry(entry[1], entry[2]), 'r')
    call('HSET', P .. 'eb:' .. entry[1], whole(entry[2]), time .. '\n\n' .. id)
    call('ZREM', P .. 'eu:' .. entry[1], whole(entry[2]))
  end
  if part ~= '' then take_in(cjson.decode(ARGV[r[6]])[1], P .. part)
  elseif r[6] ~= 0 then keep_addresses(cjson.decode(ARGV[r[6]])) end
  local number = remember(id, score, shape[4] .. rest[2] .. claims .. mark, ARGV[1 + i])
  if not exceeded then return number end
  return {'ok', number, exceeded}
end
`;

/**
 * Invariant: a reservation's claims, people, messages, entry and line are written together or not at all, in
 * the order regressed, halted, once, entry, caps, rates, reservation. What had to be written to look (a claim is
 * taken by SET NX, which looks and takes in one) is undone before refusing.
 *
 * `head`: expires, nonce, dry (1 judges and undoes), scopes, windows `[name, length]`, specs, shapes, reservations.
 * `ARGV`: head, events, packed people, addresses. What many reservations have in common is their shape: scopes, claims
 * `[ttl, resend, lease]`, groups of caps, and the names of what they may give back. A reservation: shape, id, seen,
 * references to people, rest, n for addresses in argument n, then the name of each claim. The rest, where there is any:
 * groups of rates, their names, entry, stamp of staged people, name of staged addresses.
 * Answers the time, the highest number and, per reservation, its number, or a list that says why not.
 */
export const reserve = script(
  judging("head[4]", "head[5]") +
    open +
    reservations +
    String.raw`
local nonce, dry, specs, shapes, all = head[2], head[3] == 1, head[6], head[7], head[8]
for s = 1, #shapes do
  local claims = shapes[s][2]
  for c = 1, #claims do
    local ttl = claims[c][1]
    claims[c].px, claims[c].held = whole(ttl), time .. '\nreserved\n\n' .. whole(now + ttl) .. '\n'
  end
end
local known, told, kept, ids = {}, {}, {}, {}
for i = 1, #all do ids[i] = all[i][2] end
local function look(key)
  local found = call('HMGET', key, unpack(ids))
  for i = 1, #ids do if found[i] then known[ids[i]] = found[i] end end
end
look(bucket(0))
-- An hour that has just begun knows too little.
if now % 3600000 < 600000 then look(bucket(1)) end
local function remember(id, score, names, event)
  local number = line(event)
  local text = 'R' .. whole(number) .. ':' .. time .. ':' .. score .. ':' .. nonce .. '\n' .. names
  known[id], told[id] = text, true
  kept[#kept + 1], kept[#kept + 2] = id, text
  return number
end
` +
    keeping +
    plain +
    String.raw`
local made
local function careful(r, i)
  if not made then
` +
    windows +
    judge +
    entries +
    careful +
    String.raw`
    made = one
  end
  return made(r, i)
end
local had, answers = lost, {now, seq}
for i = 1, #all do answers[i + 2] = plain(all[i], i) or careful(all[i], i) end
if #kept > 0 then
  call('HSET', bucket(0), unpack(kept))
  begin_hour()
end
keep(0)
extra[#extra + 1], extra[#extra + 2] = 'stamp', whole(stamp)
if lost ~= had then extra[#extra + 1], extra[#extra + 2] = 'lost', whole(lost) end
save()
answers[2] = seq
return answers
`,
);
