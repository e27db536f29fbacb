-- redis.call is given to unknown code
-- verdict: unproven
-- expect: ES006 5:1
local f = loadstring(ARGV[1])
f(redis.call)
