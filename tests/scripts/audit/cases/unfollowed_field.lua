-- a function in a table is called by code made at run time
-- verdict: unproven
-- expect: ES105 7:44
-- expect: ES607 9:11
-- expect: ES006 10:1
local t = {}
t.f = function(k) return redis.call('GET', k) end
t.f(KEYS[1])
local g = loadstring(ARGV[1])
g(t)
