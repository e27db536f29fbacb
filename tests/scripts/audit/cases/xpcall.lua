-- a handler of errors assigns an upvalue
-- verdict: undeclared
-- expect: ES106 6:26
local k = KEYS[1]
xpcall(function() error('x') end, function() k = 'x' end)
return redis.call('GET', k)
