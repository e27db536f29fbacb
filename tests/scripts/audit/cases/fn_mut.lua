-- KEYS changed by a function
-- verdict: undeclared
-- expect: ES101 6:26
local function m(t) t[1] = 'x' end
m(KEYS)
return redis.call('GET', KEYS[1])
