-- parentheses keep the first result
-- verdict: undeclared
-- expect: ES101 5:26
local function f() return 'x', KEYS[1] end
return redis.call('GET', (f()))
