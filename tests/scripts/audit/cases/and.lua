-- and, or
-- verdict: undeclared
-- expect: ES106 4:26
return redis.call('GET', ARGV[1] and 'x' or KEYS[1])
