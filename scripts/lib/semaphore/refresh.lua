--- Keeps a place for another while, if it was not lost.
-- @key  semaphore   sorted set, identifier of each holder by the time it was last seen
-- @arg  identifier  the one the place was taken with
-- @arg  now         time of the caller, as for semaphore/acquire
-- @returns integer 1, or nil when the place is lost
-- @retry idempotent
-- Time moves forward only, so a run that arrives late changes nothing: not after a newer refresh,
-- and not after the place was given back, as an identifier is used for one acquisition only.
-- @version 1

local now = tonumber(ARGV[2])
if not now or now ~= now then
    return redis.error_reply('ERR semaphore/refresh takes a number for now')
end

local seen = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not seen then
    return nil
end
if tonumber(seen) < now then
    redis.call('ZADD', KEYS[1], now, ARGV[1])
end
return 1
