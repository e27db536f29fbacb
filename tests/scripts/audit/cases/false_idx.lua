-- false is an index
-- verdict: undeclared
-- expect: ES101 6:26
local t = {}
t[false] = 'x'
return redis.call('GET', t[false])
