-- functions that call each other in exponentially many contexts
-- verdict: unproven
-- expect: ES407 13:41
-- expect: ES407 14:41
-- expect: ES407 15:41
-- expect: ES006 16:25
-- expect: ES407 16:41
-- expect: ES407 17:41
-- expect: ES407 18:41
-- expect: ES407 19:41
-- expect: ES407 20:41
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
