-- a comparison changes KEYS
-- verdict: undeclared
-- expect: ES106 5:26
table.sort(ARGV, function(a, b) KEYS[1] = a return a < b end)
return redis.call('GET', KEYS[1])
