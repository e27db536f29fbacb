--- Gives a lock back, if it is still held by this identifier.
-- @key  lock        string, the identifier of the holder
-- @arg  identifier  the one the lock was taken with
-- @returns integer 1, or nil when the lock ended before or somebody else holds it
-- @retry idempotent
-- An identifier is used for one acquisition only, so a second run, however late, finds no lock or
-- the lock of somebody else and leaves it alone. It answers nil then, though the first one released.
-- @version 1

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return nil
end
return redis.call('DEL', KEYS[1])
