-- Either of two texts
-- verdict: undeclared
-- expect: ES101 5:46
-- expect: ES106 7:26
local text = ARGV[1] and 'return KEYS[1]' or 'redis.call("DEL", "y") return "x"'
local key = loadstring(text)()
return redis.call('GET', key)
