-- more digits than a double has
-- verdict: declared
-- expect: ES509 8:31
-- expect: ES509 12:12
-- expect: ES509 14:15
-- expect: ES509 17:35
local call = redis.call
if ARGV[1] == 'a' then return 9007199254740993 end
if ARGV[1] == 'b' then return 9007199254740992 end
if ARGV[1] == 'c' then call('ZRANGEBYSCORE', KEYS[1], 0, 9223372036854775807) end
if ARGV[1] == 'd' then return '9007199254740993' end
local id = 12345678901234567
local t = call('TIME')
local nanos = t[1] * 1000000000 + t[2] * 1000
local micros = t[1] * 1000000 + t[2]
if tonumber(ARGV[2]) + 1 > 5 then return 1 end
local function later(a, b) return a + b end
local sum = later(t[1] * 1000000000, 1)
return micros
