-- the name of a metamethod comes from ARGV
-- verdict: unproven
-- expect: ES105 6:52
-- expect: ES006 7:11
local mt = {}
mt['__' .. ARGV[1]] = function() redis.call('GET', 'x') end
local t = setmetatable({}, mt)
return t .. ''
