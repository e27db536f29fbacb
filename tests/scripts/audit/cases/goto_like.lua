-- a loop over ARGV
-- verdict: undeclared
-- expect: ES106 6:26
local k = KEYS[1]
for _, v in ipairs(ARGV) do if v == 'a' then k = v end end
return redis.call('GET', k)
