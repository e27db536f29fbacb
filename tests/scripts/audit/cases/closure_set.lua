-- a closure changes its upvalue
-- verdict: undeclared
-- expect: ES101 8:26
-- expect: ES203 5:11
local k = KEYS[1]
local function set() k = 'x' end
set()
return redis.call('GET', k)
