-- a method changes its object
-- verdict: undeclared
-- expect: ES101 7:26
local o = {k = KEYS[1]}
function o:set(v) self.k = v end
o:set('x')
return redis.call('GET', o.k)
