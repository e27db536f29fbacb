#!lua name=lib
-- a library that remembers
-- verdict: no_keys
-- expect: ES612 10:24
-- expect: ES612 13:5
-- expect: ES612 14:5
-- expect: ES612 15:5
-- expect: ES612 16:5
local n, cache, last = 0, {}, nil
local function count() n = n + 1 end
redis.register_function('f', function(keys, args)
    count()
    cache[args[1]] = args[2]
    last = args[1]
    cache.size = 1
    table.insert(cache, args[1])
    return n
end)
