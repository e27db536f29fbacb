-- an order that does not matter
-- verdict: declared
-- select: ES703
local t, sorted, names = {a = 1, b = 2}, {}, {}
for k in pairs(t) do sorted[#sorted + 1] = k end
table.sort(sorted)
for k in pairs(t) do names[#names + 1] = k end
for k, v in pairs(t) do redis.call('HSET', KEYS[1], k, v) end
for _, m in pairs(redis.call('LRANGE', KEYS[2], 0, 9)) do redis.call('RPUSH', KEYS[3], m) end
redis.call('SADD', KEYS[4], names[1], names[2])
return sorted
