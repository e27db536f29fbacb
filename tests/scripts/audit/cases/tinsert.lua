-- KEYS is an ordinary table: inserting
-- verdict: undeclared
-- expect: ES106 5:26
table.insert(KEYS, 1, 'x')
return redis.call('GET', KEYS[1])
