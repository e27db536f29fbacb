-- code made at run time calls a function that is kept in KEYS
-- verdict: unproven
-- expect: ES105 5:47
-- expect: ES006 7:1
KEYS.f = function(k) return redis.call('GET', k) end
KEYS.f(KEYS[1])
loadstring(ARGV[1])()
