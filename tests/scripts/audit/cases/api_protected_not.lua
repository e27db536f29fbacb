-- tables of its own, and KEYS
-- verdict: no_keys
-- expect: ES112 8:1
local string = {trim = string.sub}
string.split = function(x) return x end
local redis2 = setmetatable({}, {__index = redis})
redis2.x = 1
KEYS[1] = KEYS[2]
ARGV.n = 1
return string.trim('x', 1)
