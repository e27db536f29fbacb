-- a negative index
-- verdict: undeclared
-- expect: ES101 6:26
local t = {}
t[-1] = 'x'
return redis.call('GET', t[-1])
