-- functions of redis as they are meant
-- verdict: no_keys
redis.log(redis.LOG_NOTICE, 'a', 'b', 1)
redis.setresp(3)
redis.setresp(2)
local level = redis.LOG_DEBUG
redis.log(level, ARGV[1])
redis.set_repl(redis.REPL_ALL)
local f = redis.error_reply
if ARGV[1] == 'x' then return f('MYERR no') end
return redis.status_reply(redis.sha1hex(ARGV[1] or ''))
