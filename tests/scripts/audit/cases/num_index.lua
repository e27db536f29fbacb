-- an index that is no whole number
-- verdict: undeclared
-- expect: ES101 7:26
local t = {}
t[1.5] = 'x'
local i = 1.5
return redis.call('GET', t[i])
