-- __newindex
-- verdict: unproven
-- expect: ES006 5:42
-- expect: ES105 7:26
local t = setmetatable({}, {__newindex = function(t, k, v) rawset(t, k, 'x') end})
t.k = KEYS[1]
return redis.call('GET', t.k)
