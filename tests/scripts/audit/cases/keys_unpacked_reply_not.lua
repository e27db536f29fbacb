-- a script that looks how long a reply is knows whether it is empty
-- verdict: declared
local members = redis.call('SRANDMEMBER', KEYS[1], 100)
if #members == 0 then return 0 end
return redis.call('SADD', KEYS[2], unpack(members))
