/**
 * Spending for thousands of people in steps, so that Redis is never blocked for long.
 *
 * @module
 */
import { script } from "./client";
import { base } from "./lua-base";
import { open, windows } from "./lua-windows";

/** What starts a script that opens the windows in its head. */
function windowsIn(windowsInHead: string): string {
  return `${base}local keys, marks = ${windowsInHead}, {}${open}${windows}`;
}

/**
 * Invariant: staged people fill their window from the first step on, so a cap is never exceeded; they are
 * taken out again by their stamp if the reservation is refused. The stamp lies `slack` ahead: the reservation
 * itself comes later than its first step, and people must not leave the window before one whole length after it.
 * People who stand in the window keep their time until `again`, unless it would be over before that: within twice the slack.
 *
 * `head`: expires, stamp or 0, slack, windows `[key, length, limit, messages or -1]`, people.
 * Answers the time, the stamp, and per window `[room, used, wanted]`, with room 1 when counted.
 */
export const stage = script(
  windowsIn("head[4]") +
    String.raw`
local own = tonumber(head[2])
if own == 0 then
  own = math.max(staged + 4, (now + head[3]) * 1000 + 2)
  call('HSET', P .. 'meta', 'staged', whole(own))
end
local score, list = whole(own), members(head[5])
local answers = {now, score}
for i, def in ipairs(head[4]) do
  local w = ws[i]
  prune(w)
  local used, wanted = w.card, def[4]
  if wanted >= 0 then
    if used + wanted <= def[3] then send(w, wanted, score) answers[i + 2] = {1, used, wanted}
    else answers[i + 2] = {0, used, wanted} end
  else
    wanted = #list
    if used + wanted > def[3] then wanted = missing(w, list) end
    if used + wanted > def[3] then answers[i + 2] = {0, used, wanted}
    else
      local old = add(w, list, score)
      w.touched = true
      local soon = cutoff(w.ms - 2 * head[3])
      if old > 0 and call('ZCOUNT', w.key, '-inf', soon) > 0 then
        for j = 1, #list do
          if tonumber(call('ZSCORE', w.key, list[j])) <= tonumber(soon) then call('ZADD', w.key, whole(own + 1), list[j]) end
        end
      end
      answers[i + 2] = {1, used, #list - old}
    end
  end
end
keep(2 * head[3])
return answers
`,
);

/** People who stood in the window before: seen again now. `head`: expires, stamp, windows, people. */
export const again = script(
  windowsIn("head[3]") +
    String.raw`
local own, list = tonumber(head[2]), members(head[4])
for _, w in ipairs(ws) do
  for i = 1, #list do again(w, list[i], own) end
  w.touched = true
end
keep(floor(own / 1000) - now)
return {now, 1}
`,
);

/** How many stand in a window, and how many of these people do not. `head`: expires, windows, people. */
export const look = script(
  windowsIn("head[2]") +
    String.raw`
local list, answers = members(head[3]), {now}
for i, w in ipairs(ws) do
  prune(w)
  answers[i + 1] = {w.card, missing(w, list)}
end
return answers
`,
);

/** Takes staged people out, at most 2,000 of a window in one step. `head`: 0, stamp, keys. Answers 1 while some are left. */
export const unstage = script(
  base +
    String.raw`
local left = 0
for _, key in ipairs(head[3]) do
  local some = call('ZRANGEBYSCORE', P .. key, head[2], head[2], 'LIMIT', 0, 2000)
  if #some > 0 then call('ZREM', P .. key, unpack(some)) end
  if #some == 2000 then left = 1 end
end
return {now, left}
`,
);
