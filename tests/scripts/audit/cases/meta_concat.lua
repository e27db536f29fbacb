-- the name of a metamethod is put together
-- verdict: unproven
-- expect: ES006 6:1
-- expect: ES105 6:60
local mt = {}
mt['__' .. 'concat'] = function() return redis.call('GET', 'x') end
local t = setmetatable({}, mt)
return t .. ''
