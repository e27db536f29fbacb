-- each round has its own variable
-- verdict: undeclared
-- expect: ES106 5:97
local fs = {}
for i = 1, 2 do local k = i == 1 and KEYS[1] or 'x' fs[i] = function() return redis.call('GET', k) end end
fs[2]()
