-- returned lists without holes, as far as anybody knows
-- verdict: declared
if ARGV[1] == 'a' then return {1, ARGV[3] or false, 3} end
if ARGV[1] == 'b' then return {1, 2, ARGV[4]} end
local out = {}
for i = 1, 3 do out[#out + 1] = i end
if ARGV[1] == 'c' then return out end
return {redis.call('GET', KEYS[1]), ARGV[1], 3}
