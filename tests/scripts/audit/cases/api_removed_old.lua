-- what old servers still had
-- verdict: no_keys
-- target: redis:6.0
print(ARGV[1])
return 1
