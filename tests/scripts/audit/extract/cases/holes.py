# What a program puts into scripts: f-strings and sums.
prefix = "app"
IN_STRING = f"return redis.call('GET', '{prefix}:x')"
AS_VALUE = f"return redis.call('EXPIRE', KEYS[1], {ttl * 2}) -- {{braces}}"
AS_KEY = f"""return redis.call('GET', {keys["first"]})"""
SUM = "return redis.call('GET', '" + prefix + ":x" + str(n + 1) + "')"
IN_FRONT = head() + "\nreturn redis.call('GET', KEYS[1])"
PERCENT = "return redis.call('GET', '%s')" % prefix
FORMAT = "local x = {0}\nlocal y = redis.call('GET', KEYS[1]) if x ~= {0} then return y end".format(n)
part = """
for i, key in ipairs(KEYS) do
  redis.call('DEL', key)
""" % ()

# expect: script 3:15 undeclared -
# expect: script 4:14 declared -
# expect: script 5:14 unproven -
# expect: script 6:8 undeclared -
# expect: script 7:12 unproven -
# expect: script 8:12 undeclared 3ba17d81
# expect: script 9:11 declared bd31c0de
# expect: script 10:11 none -
# expect: ES101 3:40
# expect: ES704 3:41
# expect: ES704 4:51
# expect: ES105 5:39
# expect: ES704 5:39
# expect: ES101 6:33
# expect: ES704 6:38
# expect: ES704 6:54
# expect: ES006 7:12
# expect: ES105 7:49
# expect: ES101 8:37
# expect: ES704 8:37
# expect: ES001 13:1
