-- a global is changed, nobody knows which
-- verdict: unproven
-- expect: ES006 7:1
-- expect: ES607 7:1
-- expect: ES608 7:1
-- expect: ES105 8:26
_G[ARGV[1]] = nil
return redis.call('GET', KEYS[1])
