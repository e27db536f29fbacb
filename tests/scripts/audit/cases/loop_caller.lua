-- arguments that say how often
-- verdict: declared
-- expect: ES404 9:25
-- expect: ES404 12:1
-- expect: ES404 13:1
-- expect: ES404 15:1
-- expect: ES404 16:8
-- expect: ES404 16:36
local function times(n) for _ = 1, n do redis.call('INCR', KEYS[1]) end end
times(tonumber(ARGV[1]))
local options = cjson.decode(ARGV[2])
for _ = 1, options.count do redis.call('INCR', KEYS[1]) end
for i = tonumber(ARGV[3]), 1, -1 do redis.call('INCR', KEYS[1]) end
local i = 0
while i < tonumber(ARGV[4]) do i = i + 1 end
return string.rep('x', ARGV[5]) .. ('y'):rep(tonumber(ARGV[6]))
