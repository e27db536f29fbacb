-- a function is one of too many to be told apart
-- verdict: unproven
-- expect: ES105 5:46
-- expect: ES006 8:1
local function f(k) return redis.call('GET', k) end
f(KEYS[1])
local t = {function() return 0 end, function() return 1 end, function() return 2 end, function() return 3 end, function() return 4 end, function() return 5 end, function() return 6 end, function() return 7 end, function() return 8 end, f}
t[#t]('x')
