-- a length is a key
-- verdict: undeclared
-- expect: ES101 4:26
return redis.call('GET', #KEYS)
