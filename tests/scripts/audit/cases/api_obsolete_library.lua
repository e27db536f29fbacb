#!lua name=lib
-- replicate_commands in a library
-- verdict: no_keys
-- expect: ES605 5:45
redis.register_function('f', function(keys) redis.replicate_commands() return 1 end)
