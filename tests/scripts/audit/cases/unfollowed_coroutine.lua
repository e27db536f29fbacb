-- a coroutine calls a function of a table it is given
-- verdict: unproven
-- expect: ES105 7:46
-- expect: ES006 9:12
-- expect: ES006 9:39
-- expect: ES006 10:1
local function f(k) return redis.call('GET', k) end
f(KEYS[1])
local co = coroutine.wrap(function(t) t.f('x') end)
co({f = f})
