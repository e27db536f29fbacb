-- varargs in a table
-- verdict: undeclared
-- expect: ES101 4:64
local function f(...) local a = {...} return redis.call('GET', a[2]) end
return f(KEYS[1], 'x')
