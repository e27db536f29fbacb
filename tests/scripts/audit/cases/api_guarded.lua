-- what is asked for first
-- verdict: no_keys
-- target: redis:5.0
-- expect: ES203 6:64
if redis.setresp then redis.setresp(3) end
local set = redis.acl_check_cmd and redis.acl_check_cmd('GET', KEYS[1])
return set
