-- a function in a table
-- verdict: undeclared
-- expect: ES101 4:52
local t = {f = function() return redis.call('GET', 'x') end}
return t.f()
