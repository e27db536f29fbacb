-- replicate_commands does nothing
-- verdict: declared
-- expect: ES605 6:1
-- expect: ES605 8:4
-- expect: ES605 10:1
redis.replicate_commands()
local r = redis
if r.replicate_commands() then r.call('GET', KEYS[1]) end
local replicate = redis.replicate_commands
replicate()
return 1
