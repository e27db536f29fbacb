-- An odd number of arguments less is the other half
-- verdict: undeclared
-- expect: ES101 10:27
local args = {'MSET'}
for _, key in ipairs(KEYS) do
    args[#args + 1] = key
    args[#args + 1] = 'v'
end
redis.call('MSET', select(2, unpack(args)))
return redis.call('MSET', select(3, unpack(args)))
