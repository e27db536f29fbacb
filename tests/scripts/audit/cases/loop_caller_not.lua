-- arguments with a limit
-- verdict: declared
local n = tonumber(ARGV[2])
if n > 100 then return redis.error_reply('ERR too many') end
for _ = 1, math.min(tonumber(ARGV[1]), 100) do redis.call('INCR', KEYS[1]) end
for _ = 1, n do redis.call('INCR', KEYS[1]) end
local m = tonumber(ARGV[3])
if m > 50 then m = 50 end
for _ = 1, m do redis.call('INCR', KEYS[1]) end
for i = 1, #ARGV do redis.call('INCR', KEYS[1]) end
for i = 3, table.getn(ARGV) - 1, 2 do redis.call('INCR', KEYS[1]) end
for i = 1, string.len(ARGV[1]) do redis.call('INCR', KEYS[1]) end
for i = 3, #KEYS do redis.call('DEL', KEYS[i]) end
return string.rep('x', math.min(10, ARGV[4]))
