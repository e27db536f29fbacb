-- KEYS changed by rawset
-- verdict: undeclared
-- expect: ES101 5:26
rawset(KEYS, 1, 'x')
return redis.call('GET', KEYS[1])
