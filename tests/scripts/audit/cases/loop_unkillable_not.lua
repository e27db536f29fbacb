-- endings that are known, with writes
-- verdict: declared
-- expect: ES119 12:26
-- expect: ES119 17:24
redis.call('SET', KEYS[1], '1')
local i, t = 1, {1, 2, 3}
while i <= #KEYS do
    redis.call('DEL', KEYS[i])
    i = i + 1
end
while #t > 0 do
    redis.call('INCRBY', KEYS[1], table.remove(t))
end
local n = 100
repeat
    n = n - 1
    redis.call('INCR', KEYS[1])
until n <= 0
local low, high = 1, 1000
while low < high do
    local middle = math.floor((low + high) / 2)
    if redis.call('GETBIT', KEYS[2], middle) == 1 then low = middle + 1 else high = middle end
end
return low
