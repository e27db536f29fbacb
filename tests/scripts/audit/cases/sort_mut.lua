-- a comparison changes KEYS
-- verdict: undeclared
-- expect: ES106 6:26
-- expect: ES112 5:33
table.sort(ARGV, function(a, b) KEYS[1] = a return a < b end)
return redis.call('GET', KEYS[1])
