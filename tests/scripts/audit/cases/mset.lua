-- MSET has a key at every second place
-- verdict: undeclared
-- expect: ES101 4:41
return redis.call('MSET', KEYS[1], 'a', 'x', 'b')
