-- a field of a string
-- verdict: undeclared
-- expect: ES101 5:26
local s = KEYS[1]
return redis.call('GET', s.x or 'x')
