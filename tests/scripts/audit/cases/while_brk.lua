-- break leaves with another value
-- verdict: undeclared
-- expect: ES403 7:1
-- expect: ES101 8:26
-- expect: ES203 6:11
local k = KEYS[1]
while true do if ARGV[1] then k = 'x' break end k = KEYS[1] end
return redis.call('GET', k)
