-- options of SORT from ARGV
-- verdict: unproven
-- expect: ES108 4:45
return redis.call('SORT', KEYS[1], ARGV[1], ARGV[2])
