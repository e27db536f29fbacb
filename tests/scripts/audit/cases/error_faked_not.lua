-- errors with words of their own
-- verdict: no_keys
if ARGV[1] == 'a' then return redis.error_reply('BUSYLOCK held') end
if ARGV[1] == 'b' then return redis.error_reply('ERR MOVED away') end
if ARGV[1] == 'c' then return {err = 'LOCKED BUSY'} end
if ARGV[1] == 'd' then error('MOVED 1 x') end
return redis.status_reply('BUSY as ever')
