-- what is written before an error stays written
-- verdict: undeclared
-- expect: ES106 6:26
local k = KEYS[1]
pcall(function() k = 'x' error('a') end)
return redis.call('GET', k)
