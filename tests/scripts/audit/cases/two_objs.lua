-- two tables from one constructor
-- verdict: undeclared
-- expect: ES106 8:26
local ts = {}
for i=1,2 do ts[i] = {} end
ts[1].k = KEYS[1]
ts[2].k = 'x'
return redis.call('GET', ts[2].k)
