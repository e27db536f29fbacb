-- recursion that comes to no end
-- verdict: declared
-- expect: ES407 6:33
-- expect: ES407 9:24
-- expect: ES407 12:31
local function up(n) return 1 + up(n + 1) end
local even, odd
function even(n) return odd(n) end
function odd(n) return even(n) end
local function parents(key)
    local parent = redis.call('HGET', KEYS[1], key)
    if parent then return 1 + parents(parent) end
    return 0
end
if ARGV[1] == 'a' then return up(1) end
if ARGV[1] == 'b' then return even(1) end
return parents('x')
