-- a command for each element
-- verdict: declared
-- expect: ES405 12:1
-- expect: ES405 13:1
-- expect: ES405 14:30
-- expect: ES405 16:1
-- expect: ES405 17:1
-- expect: ES405 18:1
-- expect: ES405 20:1
-- expect: ES405 24:1
local members = redis.call('SMEMBERS', KEYS[1])
for _, m in ipairs(members) do redis.call('ZADD', KEYS[2], 0, m) end
for i = 1, #members do redis.call('ZREM', KEYS[2], members[i]) end
local function each(list, f) for _, x in ipairs(list) do f(x) end end
each(redis.call('LRANGE', KEYS[3], 0, -1), function(x) redis.call('SADD', KEYS[1], x) end)
for _ = 1, redis.call('LLEN', KEYS[3]) do redis.call('LPOP', KEYS[3]) end
while redis.call('LPOP', KEYS[3]) do end
repeat local got = redis.call('SPOP', KEYS[1]) until not got
local rest = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '+inf')
for _, a in ipairs(rest) do
    for _, b in ipairs(redis.call('SMEMBERS', KEYS[1])) do redis.call('SREM', KEYS[1], a .. b) end
end
local offset = 0
while true do
    local some = redis.call('ZRANGE', KEYS[2], offset, offset + 99)
    if #some == 0 then break end
    offset = offset + #some
end
return 1
