-- code made at run time calls a function that is kept in KEYS
-- verdict: unproven
-- expect: ES105 6:47
-- expect: ES006 8:1
-- expect: ES607 8:1
KEYS.f = function(k) return redis.call('GET', k) end
KEYS.f(KEYS[1])
loadstring(ARGV[1])()
