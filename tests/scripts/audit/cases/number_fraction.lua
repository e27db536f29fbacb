-- fractions that are cut, and numbers that are not
-- verdict: declared
-- expect: ES508 11:31
-- expect: ES508 12:31
-- expect: ES508 16:31
-- expect: ES508 18:31
-- expect: ES508 20:31
-- expect: ES508 22:8
local n = tonumber(ARGV[1])
local function half(x) return x / 2 end
if ARGV[2] == 'a' then return n / 2 end
if ARGV[2] == 'b' then return half(n) end
if ARGV[2] == 'c' then return math.floor(n / 2) end
if ARGV[2] == 'd' then return n * 3 + 1 end
if ARGV[2] == 'e' then return tostring(n / 2) end
if ARGV[2] == 'f' then return math.huge end
if ARGV[2] == 'g' then return 10 / 5 end
if ARGV[2] == 'h' then return 0.5 end
if ARGV[2] == 'i' then return #ARGV * 2 % 3 end
if ARGV[2] == 'j' then return math.sqrt(n) end
local rate = redis.call('LLEN', KEYS[1])
return rate * 0.75
