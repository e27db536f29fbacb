-- a callback of gsub assigns an upvalue
-- verdict: undeclared
-- expect: ES106 6:26
local k = KEYS[1]
string.gsub(ARGV[1], '.', function(c) k = c end)
return redis.call('GET', k)
