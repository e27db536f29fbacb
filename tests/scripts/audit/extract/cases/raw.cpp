// R"(it's no literal
auto get = R"(return redis.call('GET', KEYS[1]))";
auto block = R"lua(
  local key = KEYS[1] -- ")" and \n stay
  return redis.call("GET", key .. ARGV[1])
)lua" "-- \n";
auto wide = u8R"x(return redis.call("TTL", KEYS[1]))x";
auto number = 1'000'000; auto quote = '\'';
auto sum = std::string("return redis.call('GET', '") + prefix + "')";
auto after = L"return redis.call('PTTL', KEYS[1])";
// expect: script 2:15 declared d3c21d0c
// expect: script 3:20 derived d32783e1
// expect: script 7:19 declared 09a83046
// expect: script 10:16 declared 43761249
// expect: ES104 5:28
