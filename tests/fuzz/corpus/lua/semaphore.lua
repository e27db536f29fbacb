--- Takes one of a number of places, after removing the holders whose time is over.
-- @key  semaphore   sorted set, identifier of each holder by the time it was last seen
-- @arg  expired     now minus the timeout: places last seen then or before are free
-- @arg  limit       how many places there are
-- @arg  now         time of the caller, in the unit it likes, with or without a fraction
-- @arg  identifier  unique per acquisition, made by the caller
-- @returns string identifier, or nil when all places are taken
-- @retry once
-- A run that arrives after the place was given back takes one again, now for nobody, until the
-- timeout is over.
-- @version 1

-- The time comes from the caller and not from TIME. So the script depends on nothing but its keys
-- and arguments: it can be tested, replayed, and does not jump when a replica with another clock
-- becomes the primary. The price is that the clocks of all callers must agree, up to a small part
-- of the timeout: one that runs ahead ends the places of others early. Callers that cannot promise
-- that ask the shard with TIME first and pass its answer.

local limit, now = tonumber(ARGV[2]), tonumber(ARGV[3])
if not limit or not now or now ~= now then
    return redis.error_reply('ERR semaphore/acquire takes numbers for limit and now')
end

redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])

-- A holder that asks again keeps its one place, also when no other is free. Its time moves forward
-- only.
local seen = redis.call('ZSCORE', KEYS[1], ARGV[4])
if seen then
    if tonumber(seen) < now then
        redis.call('ZADD', KEYS[1], now, ARGV[4])
    end
    return ARGV[4]
end

if redis.call('ZCARD', KEYS[1]) >= limit then
    return nil
end
redis.call('ZADD', KEYS[1], now, ARGV[4])
return ARGV[4]
