-- a function that was called with a good upvalue may be among those called later
-- verdict: unproven
-- expect: ES105 6:47
-- expect: ES006 11:1
local k = KEYS[1]
local function get() return redis.call('GET', k) end
get()
k = ARGV[2]
local h = get
if ARGV[1] then h = loadstring(ARGV[1]) end
h()
