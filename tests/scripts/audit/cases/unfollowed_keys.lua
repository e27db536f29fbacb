-- code made at run time calls a function that is kept in KEYS
-- verdict: unproven
-- expect: ES105 7:47
-- expect: ES006 9:1
-- expect: ES607 9:1
-- expect: ES112 7:1
KEYS.f = function(k) return redis.call('GET', k) end
KEYS.f(KEYS[1])
loadstring(ARGV[1])()
