-- a method changes its object
-- verdict: undeclared
-- expect: ES101 8:26
-- expect: ES203 5:16
local o = {k = KEYS[1]}
function o:set(v) self.k = v end
o:set('x')
return redis.call('GET', o.k)
