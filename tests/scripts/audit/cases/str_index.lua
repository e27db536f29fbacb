-- a field of a string
-- verdict: undeclared
-- expect: ES101 6:26
-- expect: ES203 5:11
local s = KEYS[1]
return redis.call('GET', s.x or 'x')
