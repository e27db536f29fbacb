-- one step of a scan, and one per collection
-- verdict: declared
local found = redis.call('SSCAN', KEYS[1], ARGV[1], 'COUNT', 100)
for _, key in ipairs(KEYS) do
    found[#found + 1] = redis.call('HSCAN', key, 0)
end
local i = 0
while i < 3 do
    i = i + 1
    redis.call('ZSCAN', KEYS[2], ARGV[2])
end
return found
