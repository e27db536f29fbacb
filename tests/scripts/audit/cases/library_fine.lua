#!lua name=lib
-- a library as it should be
-- verdict: declared
local function get(keys) return redis.call('GET', keys[1]) end
local names = {a = 'x'}
redis.log(redis.LOG_NOTICE, 'loaded', redis.REDIS_VERSION)
redis.register_function('f', get)
redis.register_function{
    function_name = 'g',
    callback = function(keys, args)
        local n = tonumber(args[1])
        n = n + 1
        local t = {n}
        t[2] = names[args[2]]
        table.insert(t, 1)
        return t
    end,
    flags = {'no-writes', 'allow-oom', 'allow-stale', 'no-cluster', 'allow-cross-slot-keys'},
    description = 'x',
}
