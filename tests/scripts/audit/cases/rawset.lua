-- KEYS changed by rawset
-- verdict: undeclared
-- expect: ES101 6:26
-- expect: ES112 5:1
rawset(KEYS, 1, 'x')
return redis.call('GET', KEYS[1])
