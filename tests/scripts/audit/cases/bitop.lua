-- BITOP
-- verdict: undeclared
-- expect: ES101 4:44
return redis.call('BITOP', 'AND', KEYS[1], 'x')
