-- a pattern of SORT
-- verdict: undeclared
-- expect: ES111 4:43
return redis.call('SORT', KEYS[1], 'GET', 'x*')
