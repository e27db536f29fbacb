-- returned lists with holes
-- verdict: no_keys
-- expect: ES507 9:31
-- expect: ES507 10:31
-- expect: ES507 11:31
-- expect: ES507 12:8
local x
if ARGV[2] then x = 'given' end
if ARGV[1] == 'a' then return {1, ARGV[3], 3} end
if ARGV[1] == 'b' then return {nil, 2} end
if ARGV[1] == 'c' then return {x, 'end'} end
return {1, {2, x, 3}}
