-- a callback of table.foreach changes KEYS
-- verdict: undeclared
-- expect: ES106 5:26
table.foreach(ARGV, function(i, v) KEYS[1] = v end)
return redis.call('GET', KEYS[1])
