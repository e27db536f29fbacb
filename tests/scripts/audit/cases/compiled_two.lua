-- Either of two texts
-- verdict: undeclared
-- expect: ES101 6:46
-- expect: ES607 7:13
-- expect: ES106 8:26
local text = ARGV[1] and 'return KEYS[1]' or 'redis.call("DEL", "y") return "x"'
local key = loadstring(text)()
return redis.call('GET', key)
