-- results of redis.pcall, with and without a look at err
-- verdict: declared
-- expect: ES506 10:4
-- expect: ES506 15:4
-- expect: ES506 20:14
-- expect: ES506 31:24
-- expect: ES119 30:39
local pcall_ = redis.pcall
local a = redis.pcall('INCR', KEYS[1])
if a > 10 then return 1 end
local b = redis.pcall('INCR', KEYS[1])
if type(b) == 'table' and b.err then return b end
if b > 10 then return 2 end
local c = pcall_('GET', KEYS[1])
if c then redis.call('PING') end
local d = redis.pcall('HGETALL', KEYS[1])
if d.err then return d end
local first = d[1]
local e = redis.pcall('LRANGE', KEYS[1], 0, -1)
local item = e[1]
local f = redis.pcall('GET', KEYS[1])
if type(f) ~= 'table' then return f .. 'x' end
local g = redis.pcall('GET', KEYS[1])
if g and g['err'] ~= nil then return g end
redis.pcall('DEL', KEYS[1])
local function checked(reply)
    if type(reply) == 'table' and reply['err'] then error(reply.err) end
    return reply
end
local h = checked(redis.pcall('INCR', KEYS[1])) + 1
if ARGV[1] then return {1, redis.pcall('GET', KEYS[1])} end
return redis.pcall('GET', KEYS[1])
