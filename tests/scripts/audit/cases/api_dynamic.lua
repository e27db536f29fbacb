-- code and names that are computed
-- verdict: unproven
-- expect: ES607 11:11
-- expect: ES006 12:11
-- expect: ES607 12:11
-- expect: ES006 13:11
-- expect: ES607 13:11
-- expect: ES607 14:11
-- expect: ES607 15:11
local compile = loadstring
local f = compile(ARGV[1])
local g = load(function() return nil end)
local d = string.dump(function() end)
local v = _G[ARGV[2]]
local c = rawget(redis, ARGV[3])
return 1
