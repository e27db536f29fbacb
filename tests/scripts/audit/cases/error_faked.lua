-- errors that look like those of the server
-- verdict: no_keys
-- expect: ES615 9:31
-- expect: ES615 10:31
-- expect: ES615 11:24
-- expect: ES615 12:31
-- expect: ES615 13:8
local fail = redis.error_reply
if ARGV[1] == 'a' then return fail('MOVED 1 127.0.0.1:1') end
if ARGV[1] == 'b' then return {err = 'NOSCRIPT no such thing'} end
if ARGV[1] == 'c' then error({err = 'BUSY wait'}) end
if ARGV[1] == 'd' then return redis.error_reply('-LOADING soon') end
return fail(ARGV[2] and 'TRYAGAIN later' or 'MYERR later')
