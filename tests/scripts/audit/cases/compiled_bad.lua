-- What is wrong in a text is wrong where the text stands
-- verdict: undeclared
-- expect: ES101 6:19
local text = 'return redis.call("GET", KEYS[1]), ' ..
             'redis.call("GET", "x")'
return loadstring('redis.call("GET", KEYS[1]) redis.call("GET", "x") redis.call("GET", KEYS[2])')()
