-- a closure changes its upvalue
-- verdict: undeclared
-- expect: ES101 7:26
local k = KEYS[1]
local function set() k = 'x' end
set()
return redis.call('GET', k)
