-- a closure counts
-- verdict: undeclared
-- expect: ES101 9:26
-- expect: ES203 6:13
local n = 0
local ks = {KEYS[1], 'x'}
local function nx() n = n + 1 return ks[n] end
nx()
return redis.call('GET', nx())
