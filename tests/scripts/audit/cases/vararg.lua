-- varargs in a table
-- verdict: undeclared
-- expect: ES101 5:64
-- expect: ES203 6:10
local function f(...) local a = {...} return redis.call('GET', a[2]) end
return f(KEYS[1], 'x')
