-- __index is a function
-- verdict: unproven
-- expect: ES006 6:26
-- expect: ES105 6:26
local t = setmetatable({}, {__index = function(_, k) return k end})
return redis.call('GET', t.x)
