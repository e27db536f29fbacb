-- KEYS changed by a function
-- verdict: undeclared
-- expect: ES101 7:26
-- expect: ES112 5:21
local function m(t) t[1] = 'x' end
m(KEYS)
return redis.call('GET', KEYS[1])
