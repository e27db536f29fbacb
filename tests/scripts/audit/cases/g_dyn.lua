-- a global is changed, nobody knows which
-- verdict: unproven
-- expect: ES006 5:1
-- expect: ES105 6:26
_G[ARGV[1]] = nil
return redis.call('GET', KEYS[1])
