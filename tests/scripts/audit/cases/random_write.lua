-- writes after what replicas answer otherwise
-- verdict: declared
-- expect: ES701 9:1
-- expect: ES701 10:17
-- expect: ES701 11:8
-- target: redis:4.0
local call = redis.call
local t = call('TIME')[1]
call('SET', KEYS[1], t)
if ARGV[1] then call('SPOP', KEYS[2]) end
return redis.pcall('DEL', KEYS[3])
