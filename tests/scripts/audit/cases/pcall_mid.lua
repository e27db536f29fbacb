-- an error in the middle keeps what was written before it
-- verdict: undeclared
-- expect: ES301 6:37
-- expect: ES106 7:26
local k = KEYS[1]
pcall(function() k = 'x' redis.call('BAD') k = KEYS[1] end)
return redis.call('GET', k)
