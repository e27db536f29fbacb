-- a table of one key is concatenated
-- verdict: derived
-- expect: ES104 4:26
return redis.call('GET', table.concat({KEYS[1]}))
