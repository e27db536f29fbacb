-- errors whose first word is no code
-- verdict: no_keys
-- expect: ES618 7:31
-- expect: ES618 8:31
-- expect: ES618 9:24
local fail = redis.error_reply
if ARGV[1] == 'a' then return fail('too many requests') end
if ARGV[1] == 'b' then return {err = 'no such thing'} end
if ARGV[1] == 'c' then error({err = 'Failed here'}) end
if ARGV[1] == 'd' then return fail('single') end
if ARGV[1] == 'e' then return fail('MYERR_2 no such thing') end
if ARGV[1] == 'f' then error('no such thing') end
return redis.status_reply('no such thing')
