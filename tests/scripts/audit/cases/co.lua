-- a coroutine
-- verdict: undeclared
-- expect: ES006 7:11
-- expect: ES006 8:1
-- expect: ES106 9:26
local k = KEYS[1]
local f = coroutine.wrap(function() k = 'x' end)
f()
return redis.call('GET', k)
