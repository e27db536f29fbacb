-- the metatable of strings
-- verdict: unproven
-- expect: ES006 6:1
-- expect: ES105 6:75
-- expect: ES006 8:1
getmetatable('').__index = function() return function() redis.call('GET', 'x') end end
local s = 'a'
s:foo()
