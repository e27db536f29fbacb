-- unpack of as much as there is
-- verdict: declared
-- expect: ES408 11:23
-- expect: ES408 12:23
-- expect: ES408 13:23
-- expect: ES408 14:23
-- expect: ES408 17:23
-- expect: ES408 18:13
-- expect: ES408 19:9
local call = redis.call
call('SADD', KEYS[1], unpack(ARGV))
call('SADD', KEYS[1], unpack(ARGV, 2))
call('SADD', KEYS[1], unpack(call('SMEMBERS', KEYS[2])))
call('SADD', KEYS[1], unpack(cjson.decode(ARGV[1])))
local t, u = {}, unpack
for _, m in ipairs(call('LRANGE', KEYS[3], 0, -1)) do t[#t + 1] = m .. 'x' end
call('SADD', KEYS[1], u(t))
call('DEL', unpack(KEYS))
return {unpack({}, 1, 8000)}
