-- break leaves with another value
-- verdict: undeclared
-- expect: ES403 6:1
-- expect: ES101 7:26
local k = KEYS[1]
while true do if ARGV[1] then k = 'x' break end k = KEYS[1] end
return redis.call('GET', k)
