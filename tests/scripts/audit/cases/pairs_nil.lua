-- A value that may be missing shifts what comes behind it
-- verdict: unproven
-- expect: ES105 9:27
-- expect: ES108 9:27
local args = {}
for i = #KEYS, 1, -1 do
    args[#args + 1] = KEYS[i] args[#args + 1] = ARGV[i]
end
return redis.call('MSET', unpack(args))
