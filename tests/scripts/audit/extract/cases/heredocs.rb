# It's a comment, "with quotes
=begin
Don't read this: "redis.call
=end
GET = "return redis.call('GET', KEYS[1])"
SQUIGGLY = <<~LUA.freeze
  local v = redis.call("GET", KEYS[1])
    if v then
      redis.call("SET", "#{prefix}:x", v)
    end
  return v
LUA
PLAIN = <<-'LUA'
    return redis.call("GET", KEYS[1] .. "#{x}")
    LUA
PERCENT = %q{return redis.call('GET', ({KEYS[1]})[1])}
OTHER = %Q(return redis.call('TTL', #{key}))
lines = ["local k = ARGV[1]", "return redis.call('GET', k)"].join("\n")
ratio = total / count; other = "a" / 2
ok = line =~ /["'`]/ ? 'redis.call' : ?"
redis.eval(<<A, keys: [<<B.strip])
return redis.call('DEL', KEYS[1])
A
it's not read
B
AFTER = 'return redis.call("PTTL", KEYS[1]) -- \n\''
__END__
"return redis.call('GET', ARGV[1])"
# expect: script 5:8 declared d3c21d0c
# expect: script 7:3 undeclared -
# expect: script 14:1 derived 68374057
# expect: script 16:14 declared 2cb0dfc6
# expect: script 17:12 unproven -
# expect: script 18:11 undeclared acea1608
# expect: script 22:1 declared 30285580
# expect: script 26:10 declared 98c3622f
# expect: ES101 9:25
# expect: ES704 9:26
# expect: ES104 14:30
# expect: ES704 14:41
# expect: ES105 17:37
# expect: ES704 17:37
# expect: ES102 18:57
