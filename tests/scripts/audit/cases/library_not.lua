-- functions in a script that is none
-- verdict: no_keys
-- expect: ES611 4:1
redis.register_function('f', function() return 1 end)
return 1
