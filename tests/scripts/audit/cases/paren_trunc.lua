-- parentheses keep the first result
-- verdict: undeclared
-- expect: ES101 6:26
-- expect: ES203 5:32
local function f() return 'x', KEYS[1] end
return redis.call('GET', (f()))
