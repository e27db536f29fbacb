-- functions that Lua 5.1 lacks
-- verdict: unproven
-- expect: ES006 14:11
-- expect: ES616 14:11
-- expect: ES006 15:11
-- expect: ES616 15:11
-- expect: ES006 16:11
-- expect: ES616 16:11
-- expect: ES006 17:11
-- expect: ES616 17:11
-- expect: ES006 18:11
-- expect: ES616 18:11
local t = table
local a = t.unpack({1})
local b = string.split('a,b', ',')
local c = table.pack(1)
local d = math.clamp(1, 2, 3)
local e = cjson.parse('{}')
local f = unpack or table.unpack
return math.pow(2, 3) + table.getn({}) + #string.gfind('a', 'b')()
