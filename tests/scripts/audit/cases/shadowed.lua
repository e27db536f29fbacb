-- locals that hide the sandbox
-- verdict: declared
-- expect: ES613 9:7
-- expect: ES613 11:14
-- expect: ES613 12:16
-- expect: ES613 13:7
-- expect: ES604 13:15
-- select: ES613
local KEYS = {KEYS[1]}
local ARGV = ARGV
local redis, table = redis, {}
local function string() return 1 end
local cjson = require
return redis.call('GET', KEYS[1])
