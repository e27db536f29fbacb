-- One more on some paths
-- verdict: unproven
-- expect: ES105 12:27
-- expect: ES108 12:27
-- expect: ES408 12:27
local args = {}
for _, key in ipairs(KEYS) do
    if key == ARGV[1] then args[#args + 1] = 'x' end
    args[#args + 1] = key
    args[#args + 1] = 'v'
end
return redis.call('MSET', unpack(args))
