-- the same on Valkey
-- verdict: declared
-- target: valkey:8.0
return {server.call('GET', KEYS[1]), redis.VALKEY_VERSION, os.clock()}
