-- Arguments in twos, made in a loop
-- verdict: declared
-- expect: ES408 10:12
-- expect: ES408 20:41
local args = {'MSET'}
for i, key in ipairs(KEYS) do
    args[#args + 1] = key
    args[#args + 1] = ARGV[i] or ''
end
redis.call(unpack(args))
local more = {}
for _, key in ipairs(KEYS) do
    table.insert(more, key)
    table.insert(more, 'v')
    if ARGV[1] == key then
        more[#more + 1] = key
        more[#more + 1] = ARGV[2] .. 'x'
    end
end
return redis.call('MSET', KEYS[1], 'v', unpack(more))
