-- a function that was called with a good upvalue may be among those called later
-- verdict: unproven
-- expect: ES105 7:47
-- expect: ES607 11:21
-- expect: ES006 12:1
local k = KEYS[1]
local function get() return redis.call('GET', k) end
get()
k = ARGV[2]
local h = get
if ARGV[1] then h = loadstring(ARGV[1]) end
h()
