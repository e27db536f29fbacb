-- failing after a write
-- verdict: declared
-- expect: ES409 9:40
-- expect: ES409 11:31
-- expect: ES409 12:31
-- expect: ES409 13:24
-- expect: ES409 16:34
local call, fail = redis.call, redis.error_reply
local function check(n) if n > 10 then error('too many') end end
call('DECR', KEYS[1])
if ARGV[1] == 'a' then return fail('ERR no') end
if ARGV[1] == 'b' then return {err = 'ERR no'} end
if ARGV[1] == 'c' then assert(tonumber(ARGV[2]), 'no number') end
check(tonumber(ARGV[2]))
for i = 3, #ARGV do
    if ARGV[i] == '' then return redis.error_reply('ERR empty') end
    call('RPUSH', KEYS[2], ARGV[i])
end
return 1
