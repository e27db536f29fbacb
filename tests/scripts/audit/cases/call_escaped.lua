-- redis.call is given to unknown code
-- verdict: unproven
-- expect: ES607 5:11
-- expect: ES006 6:1
local f = loadstring(ARGV[1])
f(redis.call)
