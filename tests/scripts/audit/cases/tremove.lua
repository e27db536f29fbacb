-- the second item becomes the first
-- verdict: undeclared
-- expect: ES106 6:26
local t = {KEYS[1], 'x'}
table.remove(t, 1)
return redis.call('GET', t[1])
