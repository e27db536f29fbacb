-- strings are ordered letter by letter
-- verdict: declared
-- expect: ES505 7:4
-- expect: ES505 8:4
local call = redis.call
local start = call('HGET', KEYS[1], 'start')
if ARGV[1] >= start then return 1 end
if ARGV[1] < ARGV[2] then return 2 end
if tonumber(ARGV[1]) < tonumber(start) then return 3 end
if ARGV[1] < '2026-01-01' then return 4 end
table.sort(ARGV, function(a, b) return a < b end)
local before = call('TIME')
local after = call('TIME')
if after[1] > before[1] then return 5 end
local n = tonumber(start)
if n and n > call('LLEN', KEYS[2]) then return 6 end
return ARGV[3] > ARGV[4] and 7 or 8
