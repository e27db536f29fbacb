-- unpack of portions
-- verdict: declared
-- expect: ES405 7:1
local call = redis.call
for i = 1, #ARGV, 1000 do call('SADD', KEYS[1], unpack(ARGV, i, math.min(i + 999, #ARGV))) end
local t = {}
for _, m in ipairs(call('SMEMBERS', KEYS[2])) do
    t[#t + 1] = m
    if #t >= 1000 then
        call('SADD', KEYS[1], unpack(t))
        t = {}
    end
end
if #t > 0 and #t < 1000 then call('SADD', KEYS[1], unpack(t)) end
local few = {}
for i = 1, 5 do few[i] = ARGV[i] end
call('SADD', KEYS[1], unpack(few))
local values = call('HMGET', KEYS[3], 'a', 'b')
call('RPUSH', KEYS[4], unpack({ARGV[1], 'b'}))
call('SADD', KEYS[1], unpack(call('SRANDMEMBER', KEYS[2], 10)))
return {unpack(values), unpack({}, 1, 7999)}
