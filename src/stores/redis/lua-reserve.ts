/**
 * Reserving and settling.
 *
 * @module
 */
import { script } from "./client";
import { base, judge, judging, windows } from "./lua-base";

/**
 * Entries of plans. The state of entry n is byte n of one string: a million entries are one megabyte. `w` waiting,
 * `c` claimed, `r` reserved, `a` accepted, `x` refused, `f` failed, `u` unknown, `t` told, `d` removed, NUL not there. The counts always
 * agree with the string.
 */
export const entries = String.raw`
local function at_entry(plan, index) return call('GETRANGE', P .. 'e:' .. plan, index, index) end
local function move(plan, index, from, to)
  call('SETRANGE', P .. 'e:' .. plan, index, to)
  call('HINCRBY', P .. 'ec:' .. plan, from, -1)
  call('HINCRBY', P .. 'ec:' .. plan, to, 1)
end
`;

/**
 * How a reservation is kept, by hour, so that old ones go with their hour and not one by one: `R` seq, time,
 * stamp, call and what to give back; once it is settled, `S` the settling line's number, the reservation's
 * time, the fate and the message id. An outcome that comes more than six hours later gets its line, but gives
 * nothing back.
 */
const reservations = String.raw`
local this = floor(now / 3600000)
local function bucket(back) return P .. 'r:' .. whole(this - back) end
local function begin_hour()
  if hour == this then return end
  call('PEXPIRE', bucket(0), 25200000)
  extra[#extra + 1] = 'hour'
  extra[#extra + 1] = whole(this)
end
`;

/**
 * Invariant: a reservation's claims, people, messages, entry and line are written together or not at all, in
 * the order regressed, halted, once, entry, caps, rates, reservation. What had to be written to look (a claim is
 * taken by SET NX, which looks and takes in one) is undone before refusing.
 *
 * `head`: expires, nonce, dry (1 judges and undoes), scopes, keys, specs, reservations. `ARGV`: head, events, what to
 * give back, packed people, addresses. A reservation: id, seen, scopes, claims `[key, ttl, resend, lease]`, entry,
 * spends, stamp and, where it brings addresses, n: argument n is JSON, their bucket and then person, ciphertext, ….
 * Answers the time, the highest number and, per reservation, its number, or a list that says why not.
 */
export const reserve = script(
  judging("head[4]", "head[5]") +
    windows +
    judge +
    entries +
    reservations +
    String.raw`
local nonce, dry, specs, all = head[2], head[3] == 1, head[6], head[7]
local function known_before(id)
  -- An hour that has just begun knows too little.
  if now % 3600000 < 600000 then return call('HGET', bucket(1), id) end
end
local function known(id) return call('HGET', bucket(0), id) or known_before(id) end
local function blocked(claim)
  local text = call('GET', P .. 'o:' .. claim[1])
  if not text then return end
  local since, state, till = string.match(text, '^(%d+)\n(%a+)\n[^\n]*\n(%d+)\n')
  if now >= tonumber(till) then return end
  if claim[3] == 0 or state == 'accepted' then return text end
  if state == 'reserved' and (claim[4] < 0 or now < tonumber(since) + claim[4]) then return text end
end
-- A repeat by the client finds its own people, claims and entry in the way: it gets the first answer.
local function refuse(id, call_id, reply)
  local text = known(id)
  if not text then return reply end
  local s, t, _, n = string.match(text, '^R(%d+):(%d+):(%d+):([^:]*):')
  if n == call_id then return {'again', tonumber(s), tonumber(t)} end
  return reply or {'reservation', text}
end
local function keep_addresses(list)
  local key, added = P .. 'a:' .. list[1], 0
  for i = 2, #list, 2 do added = added + call('HSETNX', key, list[i], list[i + 1]) end
  if added > 0 then call('SADD', P .. 'ab', list[1]) end
end
local function one(r, i)
  local id, call_id = r[1], nonce .. '.' .. i
  if lost > 0 or r[2] > seq then
    if r[2] > lost then lost = r[2] end
    return {'regressed', seq}
  end
  for _, scope in ipairs(r[3]) do
    if halted[scope] then return refuse(id, call_id, {'halted', scope, halted[scope]}) end
  end
  local taken, over = none, none
  local function undo(reply)
    for _, key in ipairs(taken) do call('DEL', key) end
    return refuse(id, call_id, reply)
  end
  local function held(claim) return whole(now) .. '\nreserved\n\n' .. whole(now + claim[2]) .. '\n' .. id end
  for c, claim in ipairs(r[4]) do
    local key = P .. 'o:' .. claim[1]
    if call('SET', key, held(claim), 'NX', 'PX', whole(claim[2])) then
      if taken == none then taken = {} end
      taken[#taken + 1] = key
    else
      local found = blocked(claim)
      if found then return undo({'once', c, found}) end
      if over == none then over = {} end
      over[#over + 1] = claim
    end
  end
  local entry = r[5]
  if entry then
    local state = at_entry(entry[1], entry[2])
    if state ~= 'w' and state ~= 'c' then
      return undo({'entry', state, call('HGET', P .. 'eb:' .. entry[1], whole(entry[2])) or ''})
    end
  end
  local refusal, exceeded = judge(keys, specs, r[6])
  if refusal then return undo(refusal) end
  if dry then return undo(nil) or {'dry'} end
  local own = r[7]
  if own == 0 then own = math.max(stamp + 4, now * 1000)
  else
    -- Staged people were given a time to come. Past it they would leave their window too early.
    own = tonumber(own)
    if now * 1000 > own then return undo({'late'}) end
  end
  local score = whole(own)
  local kept = 'R' .. whole(seq + 1) .. ':' .. whole(now) .. ':' .. score .. ':' .. call_id .. ':' .. ARGV[1 + #all + i]
  if known_before(id) or call('HSETNX', bucket(0), id, kept) == 0 then return undo(nil) end
  if r[7] == 0 then stamp = own end
  spend(own, score)
  for _, claim in ipairs(over) do call('SET', P .. 'o:' .. claim[1], held(claim), 'PX', whole(claim[2])) end
  if entry then
    move(entry[1], entry[2], at_entry(entry[1], entry[2]), 'r')
    call('HSET', P .. 'eb:' .. entry[1], whole(entry[2]), whole(now) .. '\n\n' .. id)
    call('ZREM', P .. 'eu:' .. entry[1], whole(entry[2]))
  end
  if r[8] then keep_addresses(cjson.decode(ARGV[r[8]])) end
  local number = line(ARGV[1 + i])
  if exceeded == none then return number end
  return {'ok', number, exceeded}
end
local answers = {now, seq}
for i, r in ipairs(all) do answers[i + 2] = one(r, i) end
begin_hour()
keep(0)
extra[#extra + 1] = 'stamp'
extra[#extra + 1] = whole(stamp)
extra[#extra + 1] = 'lost'
extra[#extra + 1] = whole(lost)
save()
answers[2] = seq
return answers
`,
);

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
local function settled(s, event)
  local id, fate = s[1], s[2]
  local text, where
  for back = 0, 6 do
    text = call('HGET', bucket(back), id)
    if text then where = bucket(back) break end
  end
  if text and sub(text, 1, 1) == 'S' then return tonumber(string.match(text, '^S(%d+)')) end
  local number = line(event)
  local outcome = ':' .. fate .. ':' .. s[4]
  if not text then
    call('HSET', bucket(0), id, 'S' .. whole(number) .. ':' .. whole(now) .. outcome)
    begin_hour()
    return number
  end
  local since, own, back = string.match(text, '^R%d+:(%d+):(%d+):[^:]*:(.*)$')
  call('HSET', where, id, 'S' .. whole(number) .. ':' .. since .. outcome)
  if back == '' or (fate ~= 'refused' and #s[5] == 0 and string.find(back, '[],false]', -9, true)) then return number end
  back = cjson.decode(back)
  for _, key in ipairs(back[3]) do
    local held = call('GET', P .. 'o:' .. key)
    local till, holder = string.match(held or '', '^%d+\n%a+\n[^\n]*\n(%d+)\n(.*)$')
    if holder == id then
      if fate == 'refused' then call('DEL', P .. 'o:' .. key)
      else call('SET', P .. 'o:' .. key, since .. '\n' .. fate .. '\n' .. s[4] .. '\n' .. till .. '\n' .. id, 'KEEPTTL') end
    end
  end
  local entry = back[4]
  if entry and at_entry(entry[1], entry[2]) == 'r' then
    local key, field = P .. 'eb:' .. entry[1], whole(entry[2])
    local by = call('HGET', key, field)
    if by and string.match(by, '^%d+\n[^\n]*\n(.*)$') == id then
      move(entry[1], entry[2], 'r', s[3])
      call('HSET', key, field, since .. '\n' .. s[4] .. '\n' .. id)
    end
  end
  if fate == 'refused' then
    for kind = 1, 2 do
      for _, key in ipairs(back[kind]) do call('ZREMRANGEBYSCORE', P .. key, own, own) end
    end
  elseif #s[5] > 0 then
    for _, key in ipairs(back[1]) do
      for _, person in ipairs(s[5]) do
        local score = call('ZSCORE', P .. key, person)
        if score and tonumber(score) == tonumber(own) then call('ZREM', P .. key, person) end
      end
    end
  end
  return number
end
local answers = {now}
for i, s in ipairs(head[2]) do answers[i + 1] = settled(s, ARGV[i + 1]) end
save()
return answers
`,
);
