-- returned booleans
-- verdict: declared
-- expect: ES514 7:31
-- expect: ES514 8:31
-- expect: ES514 9:31
-- select: ES514
if ARGV[1] == 'a' then return true end
if ARGV[1] == 'b' then return false end
if ARGV[1] == 'c' then return {1, 1 == tonumber(ARGV[2])} end
if ARGV[1] == 'd' then return redis.call('GET', KEYS[1]) end
return 1 == 2 and 1 or 0
