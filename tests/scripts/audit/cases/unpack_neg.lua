-- unpack from 0
-- verdict: unproven
-- expect: ES105 4:26
return redis.call('GET', unpack({[0]='x', KEYS[1]}, 0))
