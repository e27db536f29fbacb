-- replies that are true whatever they say, and tests that only look like that
-- verdict: declared
-- expect: ES501 10:11
-- expect: ES501 13:15
-- expect: ES501 14:7
-- expect: ES501 15:11
-- expect: ES501 25:16
local call = redis.call
local function exists(key) return call('EXISTS', key) end
local a = exists(KEYS[1]) and 1 or 0
local n = call('LLEN', KEYS[1])
local b = n and n > 0
local c = not n
while call('SMEMBERS', KEYS[1]) do break end
local d = call('SET', KEYS[1], 'v') and ARGV[1]
local e = call('SET', KEYS[1], 'v', 'NX') and 1 or 2
local f = call('SET', KEYS[1], 'v', ARGV[2]) and 1 or 2
local g = call('LPOP', KEYS[1]) and 1 or 2
local h = call('ZADD', KEYS[1], 'INCR', 1, 'm') and 1 or 2
local i = call('SETNX', KEYS[1], 'v') == 1 and 1 or 2
local either = call('GET', KEYS[1])
if ARGV[3] then either = call('INCR', KEYS[1]) end
local j = either and 1 or 2
local list = call('ZRANGE', KEYS[1], 0, -1)
if ARGV[4] and list then return 1 end
local k = call('HGET', KEYS[1], 'f') or call('INCR', KEYS[1]) or 0
return {a, b, c, d, e, f, g, h, i, j, k}
