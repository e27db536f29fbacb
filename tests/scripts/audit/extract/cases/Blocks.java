package a;

/** It's "quoted. */
class Blocks {
    static final char QUOTE = '"', APOSTROPHE = '\'';
    static final String GET = "return redis.call('GET', KEYS[1])";
    static final String SUM = "local a = ARGV[1]; " + // a comment
            "return redis.call(\"GET\", a) " +
            "-- \u0041\101";
    static final String BLOCK = """
            local key = KEYS[1]
              if redis.call("GET", key) == '' then   
                return '\"""' .. "x" .. '\
            '
            end
            """;
    static final String LINES = String.join("\n", "local k = KEYS[1]", "return redis.call('GET', k)");
    RScript run() {
        return script.evalAsync(LongCodec.INSTANCE,
                "if (redis.call('exists', KEYS[1]) == 0) then " +
                        "redis.call('set', '" + prefix(name) + "', 1); " +
                "end;" +
                "return nil;", Arrays.<Object>asList(name));
    }
}
// expect: script 6:32 declared d3c21d0c
// expect: script 7:32 undeclared d4901fae
// expect: script 11:13 declared 05db2941
// expect: script 17:52 declared 67492e0b
// expect: script 20:18 undeclared -
// expect: ES102 8:41
// expect: ES101 21:44
// expect: ES704 21:49
