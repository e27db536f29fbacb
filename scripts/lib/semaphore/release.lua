--- Gives a place back.
-- @key  semaphore   sorted set, identifier of each holder by the time it was last seen
-- @arg  identifier  the one the place was taken with
-- @returns integer 1, or 0 when the place was lost before
-- @retry idempotent
-- An identifier is used for one acquisition only, so a second run, however late, finds nothing to
-- remove. It answers 0 then, though the first one gave the place back.
-- @version 1

return redis.call('ZREM', KEYS[1], ARGV[1])
