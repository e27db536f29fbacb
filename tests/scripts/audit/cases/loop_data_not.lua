-- bounded replies, and loops that only compute
-- verdict: declared
for _, m in ipairs(redis.call('SRANDMEMBER', KEYS[1], 10)) do redis.call('SREM', KEYS[1], m) end
for _, m in ipairs(redis.call('LRANGE', KEYS[2], 0, 9)) do redis.call('SADD', KEYS[1], m) end
local due = redis.call('ZRANGEBYSCORE', KEYS[3], 0, ARGV[1], 'LIMIT', 0, 100)
for _, m in ipairs(due) do redis.call('ZREM', KEYS[3], m) end
local sum = 0
for _, m in ipairs(redis.call('SMEMBERS', KEYS[1])) do sum = sum + #m end
for _ = 1, math.min(redis.call('LLEN', KEYS[2]), 10) do redis.call('LPOP', KEYS[2]) end
local n = 0
while n < 10 and redis.call('LPOP', KEYS[2]) do n = n + 1 end
for _, key in ipairs(KEYS) do sum = sum + redis.call('EXISTS', key) end
return sum
