-- the implicit arg
-- verdict: undeclared
-- expect: ES101 4:48
local function f(...) return redis.call('GET', arg[1]) end
return f('x')
