# A quote in a comment isn't one: " ' """
"""A docstring that mentions redis.call('GET', KEYS[1]) in prose."""
GET = "return redis.call('GET', KEYS[1])"
TRIPLE = """
local key = KEYS[1]
return redis.call('SET', key .. ':x', "a\tb")
"""
RAW = r'return string.match(KEYS[1], "\d+\\")'
JOINED = ("local a = ARGV[1]\n"
          'return redis.call("GET", a)\n'  # a comment between them
          "-- \x41\u00e9\101\q\
end")
BYTES = b"return redis.call('TTL', KEYS[1])".decode().strip()
LINES = "\n".join(["local k = KEYS[1]", "return redis.call('GET', k)"])
HINT = redis.register_script("return redis.call('GET' KEYS[1])")
SUM = "return " + "redis.call('PTTL', KEYS[1])"
it = 'is not "redis.call" or KEYS[1] that make a script'
x = {'redis.call': "KEYS[1]", "ARGV[1]": 'redis.call'}

# expect: script 3:8 declared d3c21d0c
# expect: script 4:13 derived 00279a1a
# expect: script 8:9 no_keys 022782ea
# expect: script 9:12 undeclared f124e76c
# expect: script 13:11 declared 403b2c12
# expect: script 14:21 declared 67492e0b
# expect: script 15:31 none c5ea254a
# expect: script 16:8 declared 43761249
# expect: ES104 6:26
# expect: ES102 10:37
# expect: ES001 15:55
