-- __call
-- verdict: unproven
-- expect: ES006 6:38
-- expect: ES105 6:78
-- expect: ES006 7:8
local t = setmetatable({}, {__call = function(_, k) return redis.call('GET', k) end})
return t('x')
