-- returned lists with holes, and others
-- verdict: declared
-- expect: ES507 7:31
-- expect: ES507 10:31
-- expect: ES507 13:31
-- expect: ES507 19:8
if ARGV[1] == 'a' then return {1, KEYS[2], 3} end
if ARGV[1] == 'b' then return {1, KEYS[2] or false, 3} end
if ARGV[1] == 'c' then return {1, 2, KEYS[3]} end
if ARGV[1] == 'd' then return {nil, 2} end
local x
if ARGV[2] then x = 'given' end
if ARGV[1] == 'e' then return {x, 'end'} end
local out = {}
for i = 1, 3 do out[#out + 1] = i end
if ARGV[1] == 'f' then return out end
if ARGV[1] == 'g' then return {KEYS[1], ARGV[1]} end
local r = redis.call('GET', KEYS[1])
return {r, 1, {2, x, 3}}
