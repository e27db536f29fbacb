-- failing first, or on purpose
-- verdict: declared
local call = redis.call
if not ARGV[1] then return redis.error_reply('ERR no argument') end
assert(tonumber(ARGV[2]), 'no number')
if call('SETNX', KEYS[1], '1') == 0 then return redis.error_reply('ERR exists') end
local count = call('INCR', KEYS[2])
if count > 10 then return redis.error_reply('ERR too many') end
if ARGV[3] then
    call('DECR', KEYS[2])
    return redis.error_reply('ERR taken back')
end
local reply = redis.pcall('SADD', KEYS[3], 'x')
if type(reply) == 'table' and reply.err then return redis.error_reply(reply.err) end
if ARGV[4] then call('DEL', KEYS[3]) return 1 end
return 2
