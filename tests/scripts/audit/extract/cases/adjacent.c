/* It's a comment, "with a quote. */
// it's another \
   one "
#error don't
#include "redis.call"
static const char quote = '"', *get = "return redis.call('GET', KEYS[1])";
static const char *const lines = "local a = ARGV[1]\n" /* between */
                                 "return redis.call(\"GET\", a)\n"
                                 "-- \x41\101\u00e9\
 joined";
static const char *const holed = "return redis.call('GET', '" PREFIX ":x')";
static const char *const as_value = "return redis.call('EXPIRE', KEYS[1], " STRING(TTL) ")";

int main(void)
{
    return eval(context, "return redis.call('TTL', KEYS[1])", 1'000'000);
}
// expect: script 6:40 declared d3c21d0c
// expect: script 7:35 undeclared 5a2e1b81
// expect: script 11:35 undeclared -
// expect: script 12:38 declared -
// expect: script 16:27 declared 403b2c12
// expect: ES102 8:62
// expect: ES101 11:60
// expect: ES704 11:63
// expect: ES704 12:77
