-- An element is put in front of the others afterwards
-- verdict: unproven
-- expect: ES108 11:27
-- expect: ES408 11:27
local args = {}
for _, key in ipairs(KEYS) do
    args[#args + 1] = key
    args[#args + 1] = 'v'
end
table.insert(args, 1, 'x')
return redis.call('MSET', unpack(args))
