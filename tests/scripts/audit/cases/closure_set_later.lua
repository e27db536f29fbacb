-- an upvalue is changed between two calls
-- verdict: undeclared
-- expect: ES101 6:47
local k = KEYS[1]
local function set() k = 'x' end
local function use() return redis.call('GET', k) end
use() set() use()
