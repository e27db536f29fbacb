-- positional items of a constructor are stored last
-- verdict: undeclared
-- expect: ES106 5:26
local t = {'x', [1]=KEYS[1]}
return redis.call('GET', t[1])
