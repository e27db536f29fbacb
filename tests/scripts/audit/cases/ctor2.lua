-- a computed key may be any field
-- verdict: undeclared
-- expect: ES106 5:26
local t = {[ARGV[1]]='x', k=KEYS[1]}
return redis.call('GET', t.k)
