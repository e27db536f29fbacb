-- The values are where the keys should be
-- verdict: undeclared
-- expect: ES101 10:27
-- expect: ES408 10:27
local args = {}
for _, key in ipairs(KEYS) do
    args[#args + 1] = 'v'
    args[#args + 1] = key
end
return redis.call('MSET', unpack(args))
