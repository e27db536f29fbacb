-- replicate_commands where it does something
-- verdict: no_keys
-- target: redis:6.2..7.4
redis.replicate_commands()
return 1
