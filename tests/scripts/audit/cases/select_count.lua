-- select with an unknown first argument may count
-- verdict: undeclared
-- expect: ES106 4:26
return redis.call('GET', (select(ARGV[1], KEYS[1])))
