-- tostring of a missing key
-- verdict: undeclared
-- expect: ES106 4:26
return redis.call('GET', tostring(KEYS[tonumber(ARGV[1])]))
