-- replies that may be missing
-- verdict: declared
-- expect: ES519 9:31
-- expect: ES519 12:31
-- expect: ES519 15:31
-- select: ES519
local call = redis.call
local n = call('GET', KEYS[1])
if ARGV[1] == 'a' then return n + 1 end
if ARGV[1] == 'b' then return (n or 0) + 1 end
if ARGV[1] == 'c' and n then return n + 1 end
if ARGV[1] == 'd' then return 'v' .. call('HGET', KEYS[1], 'f') end
if not n then return 0 end
local list = call('HMGET', KEYS[1], 'f', 'g')
if ARGV[1] == 'e' then return list[1] .. list[2] end
return n * 2
