-- a table in a table
-- verdict: undeclared
-- expect: ES101 8:26
-- expect: ES203 5:21
local t = {a = {b = KEYS[1]}}
local u = t.a
u.b = 'x'
return redis.call('GET', t.a.b)
