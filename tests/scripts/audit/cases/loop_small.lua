-- collections that are said to be small
-- verdict: declared
-- expect: ES405 7:1
-- expect: ES405 9:1
-- evalshard: small=KEYS[1]
for _, m in ipairs(redis.call('SMEMBERS', KEYS[1])) do redis.call('SREM', KEYS[1], m) end
for _, m in ipairs(redis.call('SMEMBERS', KEYS[2])) do redis.call('SREM', KEYS[2], m) end
while redis.call('LPOP', KEYS[1]) do end
while redis.call('LPOP', KEYS[2]) do end
local c = '0'
repeat
    local r = redis.call('SSCAN', KEYS[1], c)
    c = r[1]
until c == '0'
return {unpack(redis.call('SMEMBERS', KEYS[1]))}
