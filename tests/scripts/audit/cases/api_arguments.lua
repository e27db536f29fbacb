-- functions of redis with wrong arguments
-- verdict: unproven
-- expect: ES107 18:11
-- expect: ES609 18:11
-- expect: ES609 19:1
-- expect: ES609 20:1
-- expect: ES609 21:1
-- expect: ES609 22:11
-- expect: ES609 23:11
-- expect: ES609 24:1
-- expect: ES609 25:1
-- expect: ES609 26:1
-- expect: ES006 27:1
-- expect: ES609 27:1
-- expect: ES609 28:1
-- expect: ES609 29:8
local r = redis
local x = r:call('GET', KEYS[1])
r.log('text')
r.log(9, 'text')
r.log(nil, 'text')
local a = r.sha1hex()
local b = r.sha1hex(a, x)
r.setresp(4)
r.setresp()
r.set_repl(9)
redis.Call('GET', KEYS[1])
redis.call()
return r.error_reply({err = 'x'})
