-- a table in a table
-- verdict: undeclared
-- expect: ES101 7:26
local t = {a = {b = KEYS[1]}}
local u = t.a
u.b = 'x'
return redis.call('GET', t.a.b)
