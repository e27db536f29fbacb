-- tables of the sandbox that are changed
-- verdict: unproven
-- expect: ES006 17:1
-- expect: ES608 17:1
-- expect: ES006 18:10
-- expect: ES608 18:10
-- expect: ES006 19:1
-- expect: ES608 19:1
-- expect: ES608 20:1
-- expect: ES006 22:1
-- expect: ES608 22:1
-- expect: ES006 23:1
-- expect: ES608 23:1
-- expect: ES006 24:1
-- expect: ES608 24:1
local s = string
s.trim = function(x) return x end
function table.size(t) return #t end
redis['call'] = nil
_G.x = 1
local n = table.size({})
setmetatable(_G, {})
rawset(math, 'pi', 3)
table.insert(redis, 1)
return 1
