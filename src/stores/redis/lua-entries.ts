/**
 * States of plans' entries.
 *
 * @module
 */

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
 * stamp, call, newline, then what to give back, a line each: `c:` and `m:` windows, `o:` claims, and at the very end `e:`
 * an entry's index and plan. Once it is settled: `S` the settling line's number, the reservation's
 * time, the fate and the message id. An outcome that comes more than six hours later gets its line, but gives
 * nothing back.
 */
export const reservations = String.raw`
local this = floor(now / 3600000)
local function bucket(back) return P .. 'r:' .. whole(this - back) end
local function begin_hour()
  if hour == this then return end
  call('PEXPIRE', bucket(0), 25200000)
  extra[#extra + 1] = 'hour'
  extra[#extra + 1] = whole(this)
end
`;
