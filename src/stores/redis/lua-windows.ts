/**
 * Windows of people and of messages, and how they are judged and spent.
 *
 * @module
 */

/**
 * A stamp is the time in microseconds, raised so that no two reservations share one. People brought in by a reservation
 * have its stamp as their score. People it counts again have the next higher number, or its stamp where the reservation
 * does not list the window among what it gives back. So a refund takes out exactly those whom the reservation brought
 * in and whom nobody has counted since, without a list of them. Stamps are multiples of 4; staged ones (4n + 2) lie
 * ahead of time, see lua-stage.
 *
 * People whose time is over are dropped when a script opens their window, so the set never holds more than the limit.
 * Messages whose time is over are dropped before anything is refused, and now and then.
 *
 * A rate's expiry is set with every message. A cap's lasts two lengths and is set once in half a length, when `meta`
 * says that it is due.
 */
export const open = String.raw`
local function cutoff(ms) return whole((now - ms) * 1000 + 999) end
local function open(def, n)
  local name, ms = def[1], def[2]
  local key, cap = P .. name, sub(name, 1, 2) == 'c:'
  if cap or seq % 8 == 0 then call('ZREMRANGEBYSCORE', key, '-inf', cutoff(ms)) end
  return {key = key, ms = ms, name = name, mark = marks[n], cap = cap, pruned = cap, card = call('ZCARD', key)}
end
local ws = {}
for n = 1, #keys do ws[n] = open(keys[n], n) end
local function keep(slack)
  for n = 1, #ws do
    local w = ws[n]
    if w.touched then
      local mark = tonumber(w.mark)
      if not w.cap then call('PEXPIRE', w.key, whole(w.ms + slack + 60000))
      elseif not mark or now < mark or now - mark > w.ms / 2 then
        call('PEXPIRE', w.key, whole(2 * w.ms + slack + 60000))
        extra[#extra + 1] = 'w:' .. w.name
        extra[#extra + 1] = time
      end
    end
  end
end
`;

/** What stands for people in a reference, and spending on them; see {@link judge}. */
export const windows = String.raw`
local function prune(w)
  if not w.pruned then w.card = w.card - call('ZREMRANGEBYSCORE', w.key, '-inf', cutoff(w.ms)) end
  w.pruned = true
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
-- Somebody staged ahead of time by another keeps that time: the other may go on, or take out whom nobody has counted since.
local function again(w, person, own)
  local score = tonumber(call('ZSCORE', w.key, person)) or 0
  local counted = score > own and score - score % 2 or own
  if score ~= own then call('ZADD', w.key, whole(counted + 1), person) end
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
  local list = type(ref) == 'string' and {ref} or ref
  if add(w, list, score) > 0 then
    for i = 1, #list do again(w, list[i], own) end
  end
end
local function send(w, messages, score)
  w.touched = true
  local list = {}
  for i = 1, messages do list[i] = score .. ':' .. i end
  add(w, list, score)
end
`;

/**
 * Judges spends and spends nothing: what refuses one cap must leave the others untouched. Every cap is looked
 * at, also behind the first that refuses, because each may have a halt to latch. Answers the refusal, if any,
 * and the spends that are not enforced and would have refused; `passW` and `passR` hold what to spend.
 *
 * A spec is `[window, limit, enforce, halt scope, halt record]`. A group is a list of specs, and there is a reference
 * to people for each: text for one person, a number for messages, `[n, width]` for argument n cut at that width,
 * `[0, list]`, `[-1]` for people staged before, `[-2, used, wanted]` for staging that found no room.
 */
export const judge = String.raw`
local function latch(scope, record)
  local text = time .. '\n' .. record
  if call('HSETNX', P .. 'meta', 'h:' .. scope, text) == 1 then halted[scope] = text end
end
local passW, passR, passes
local function judge(groups, refs)
  local refusal, exceeded, done = nil, nil, {}
  passW, passR, passes = {}, {}, 0
  for j = 1, #groups do
    local ref = refs[j]
    local kind, list = type(ref), nil
    for _, place in ipairs(groups[j]) do
      local spec = specs[place]
      local limit = spec[2]
      local w, used, wanted, room
      if kind == 'table' and ref[1] == -1 then room = true
      elseif kind == 'table' and ref[1] == -2 then room, used, wanted = false, ref[2], ref[3]
      else
        w = ws[spec[1]]
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
          exceeded = exceeded or {}
          exceeded[#exceeded + 1] = place
        elseif not refusal then refusal = {'cap', place, used, wanted} end
      elseif w and not done[w] then
        passes = passes + 1
        passW[passes], passR[passes] = w, list
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
