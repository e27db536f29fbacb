-- RENAME
-- verdict: undeclared
-- expect: ES101 4:38
return redis.call('RENAME', KEYS[1], 'x')
