#!lua name=lib
-- a library that is refused
-- verdict: undeclared
-- expect: ES611 17:11
-- expect: ES611 18:12
-- expect: ES611 19:1
-- expect: ES101 19:19
-- expect: ES611 20:41
-- expect: ES611 20:93
-- expect: ES006 21:1
-- expect: ES611 21:1
-- expect: ES611 21:46
-- expect: ES611 23:5
-- expect: ES611 24:13
-- expect: ES611 24:22
-- expect: ES113 19:19
local x = math.random()
local t = {redis.sha1hex('a')}
redis.call('GET', 'x')
redis.register_function{function_name = 'f-g', callback = function() return 1 end, flags = {'bogus', 'no-writes'}}
redis.register_function{function_name = 'g', call = function() return 1 end}
redis.register_function('h', function(keys, args)
    redis.register_function('i', function() end)
    return {KEYS[1], ARGV[1]}
end)
