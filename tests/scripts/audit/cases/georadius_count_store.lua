-- STORE in the place of a number
-- verdict: undeclared
-- expect: ES101 4:74
return redis.pcall('GEORADIUS', KEYS[1], 0, 0, 1, 'm', 'COUNT', 'STORE', 'x')
