-- a callback of table.foreach changes KEYS
-- verdict: undeclared
-- expect: ES106 6:26
-- expect: ES112 5:36
table.foreach(ARGV, function(i, v) KEYS[1] = v end)
return redis.call('GET', KEYS[1])
