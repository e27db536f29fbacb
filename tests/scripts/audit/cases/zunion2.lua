-- the number of keys comes from ARGV
-- verdict: unproven
-- expect: ES108 4:61
return redis.call('ZUNIONSTORE', KEYS[1], ARGV[1], KEYS[2], 'x')
