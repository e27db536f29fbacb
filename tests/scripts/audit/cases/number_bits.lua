-- more than 32 bits
-- verdict: no_keys
-- expect: ES516 7:10
-- expect: ES516 10:10
-- select: ES516
local n = tonumber(ARGV[1])
bit.band(2 ^ 40, 1)
bit.band(n, 255)
local t = redis.call('TIME')
bit.bxor(t[1] * 1000000, n)
bit.lshift(1, 31)
return bit.tobit(4294967295)
