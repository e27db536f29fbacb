--- Takes a lock that ends by itself, unless somebody holds it.
-- @key  lock        string, the identifier of the holder
-- @arg  ttl         whole seconds until the lock ends by itself
-- @arg  identifier  unique per acquisition, made by the caller
-- @returns status OK, or nil when the lock is held (also by the same identifier)
-- @retry once
-- A run that arrives after the lock was released or ended takes it again, now for nobody, and keeps
-- everyone out until the ttl is over. A caller in doubt reads the key: its identifier is there, or
-- it does not hold the lock.
-- @version 1

return redis.call('SET', KEYS[1], ARGV[2], 'NX', 'EX', ARGV[1])
