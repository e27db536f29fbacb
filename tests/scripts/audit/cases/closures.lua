-- functions that call each other in exponentially many contexts
-- verdict: unproven
-- expect: ES006 8:25
local t = {}
t[#t + 1] = function(x) for i = 1, 3 do t[i](x) end end
t[#t + 1] = function(x) for i = 1, 3 do t[i](x) end end
t[#t + 1] = function(x) for i = 1, 3 do t[i](x) end end
t[#t + 1] = function(x) for i = 1, 3 do t[i](x) end end
t[#t + 1] = function(x) for i = 1, 3 do t[i](x) end end
t[#t + 1] = function(x) for i = 1, 3 do t[i](x) end end
t[#t + 1] = function(x) for i = 1, 3 do t[i](x) end end
t[#t + 1] = function(x) for i = 1, 3 do t[i](x) end end
t[1](KEYS[1])
