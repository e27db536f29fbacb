-- many megabytes at once
-- verdict: no_keys
-- expect: ES411 7:11
-- expect: ES411 8:11
-- expect: ES411 9:11
local rep = string.rep
local a = rep('x', 1e9)
local b = ('abcd'):rep(2 ^ 25)
local c = rep(ARGV[1], 100000000)
return #a + #b + #c + #rep('x', 1000) + #rep('', 1)
