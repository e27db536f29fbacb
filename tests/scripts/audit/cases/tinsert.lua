-- KEYS is an ordinary table: inserting
-- verdict: undeclared
-- expect: ES106 6:26
-- expect: ES112 5:1
table.insert(KEYS, 1, 'x')
return redis.call('GET', KEYS[1])
