-- numbers that servers write in different ways
-- verdict: declared
-- expect: ES515 8:22
-- expect: ES515 10:32
-- expect: ES515 11:24
-- expect: ES515 16:63
local call = redis.call
call('SET', KEYS[1], 0.1)
call('SET', KEYS[1], 0.5)
call('HSET', KEYS[2], 'share', tonumber(ARGV[1]) / 3)
call('RPUSH', KEYS[3], 1e17)
call('SET', KEYS[1], tonumber(ARGV[1]))
call('SET', KEYS[1], string.format('%.3f', tonumber(ARGV[1]) / 3))
call('ZADD', KEYS[4], tonumber(ARGV[1]) / 3, 'm')
call('INCRBYFLOAT', KEYS[1], 0.1)
local function put(field, value) call('HSET', KEYS[2], field, value) end
put('pi', math.pi)
put('half', 1.5)
return call('EXPIRE', KEYS[1], 10)
