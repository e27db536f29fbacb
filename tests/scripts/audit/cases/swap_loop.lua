-- two variables change places
-- verdict: undeclared
-- expect: ES106 6:26
local a, b = KEYS[1], 'x'
for i=1,2 do a, b = b, a end
return redis.call('GET', a)
