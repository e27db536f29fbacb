-- an empty string is a key
-- verdict: undeclared
-- expect: ES101 5:21
-- expect: ES101 6:33
redis.pcall('SORT', '')
return redis.pcall('GEORADIUS', '', 0, 0, 1, 'm')
