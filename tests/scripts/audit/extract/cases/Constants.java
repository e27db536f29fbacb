class Constants {
    private static final String HEAD =
            "local key = KEYS[1]; ";
    static final String PAIR = HEAD + "local value = ARGV[1]; ";
    static final String GET = HEAD + "return redis.call('GET', key)";
    String set = PAIR + "return redis.call('SET', key, value)";
    String other = PAIR + other() + "return redis.call('GET', value)";
}
// expect: script 3:14 declared 766a523d
// expect: script 3:14 declared 488c32a2
// expect: script 3:14 undeclared -
// expect: ES006 7:27
// expect: ES102 7:63
