-- places of KEYS and ARGV
-- verdict: declared
-- expect: ES201 12:19
-- expect: ES202 12:19
-- expect: ES205 10:14
-- expect: ES205 10:25
-- expect: ES205 10:38
-- evalshard: keys=4
local n = tonumber(KEYS[2])
local none = KEYS[0] or ARGV['x'] or ARGV[1.5]
redis.call("MGET", KEYS[1], KEYS[3])
redis.call('GET', KEYS[5])
return n
