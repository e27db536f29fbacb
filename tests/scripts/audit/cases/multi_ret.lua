-- several results
-- verdict: undeclared
-- expect: ES101 6:30
local function f() return KEYS[1], 'x' end
local a, b = f()
return redis.call('MGET', a, b)
