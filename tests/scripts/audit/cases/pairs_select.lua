-- An odd number of arguments less is the other half
-- verdict: undeclared
-- expect: ES408 11:30
-- expect: ES101 12:27
-- expect: ES408 12:37
local args = {'MSET'}
for _, key in ipairs(KEYS) do
    args[#args + 1] = key
    args[#args + 1] = 'v'
end
redis.call('MSET', select(2, unpack(args)))
return redis.call('MSET', select(3, unpack(args)))
