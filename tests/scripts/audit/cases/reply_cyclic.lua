-- a reply that holds itself
-- expect: ES513 15:31
-- verdict: no_keys
-- expect: ES617 9:31
-- expect: ES617 12:31
local a, b = {}, {}
a[1] = b
b[1] = a
if ARGV[1] == 'a' then return a end
local t = {1, 2}
t[3] = t
if ARGV[1] == 'b' then return t end
local fine = {1}
fine.self = fine
if ARGV[1] == 'c' then return fine end
local twice = {1}
return {twice, twice}
