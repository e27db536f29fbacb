-- a script that says how many arguments it takes
-- verdict: declared
-- evalshard: keys=1 argv=3
return redis.call('SADD', KEYS[1], unpack(ARGV))
