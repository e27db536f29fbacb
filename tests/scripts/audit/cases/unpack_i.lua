-- unpack from a computed place
-- verdict: unproven
-- expect: ES105 5:26
local t = {'x', KEYS[1]}
return redis.call('GET', unpack(t, tonumber(ARGV[1])))
