/* twemproxy.c - its list of hashes; fnv1a_64 is its default. */
#include "sharding/placement/twemproxy.h"

const evs__hash_choice evs__twemproxy_hashes[] = {{"fnv1a_64", &evs__hash_fnv1a_64},
                                                  {"one_at_a_time", &evs__hash_one_at_a_time},
                                                  {"md5", &evs__hash_md5},
                                                  {"crc16", &evs__hash_crc16},
                                                  {"crc32", &evs__hash_crc32},
                                                  {"crc32a", &evs__hash_crc32a},
                                                  {"fnv1_64", &evs__hash_fnv1_64},
                                                  {"fnv1_32", &evs__hash_fnv1_32},
                                                  {"fnv1a_32", &evs__hash_fnv1a_32},
                                                  {"hsieh", &evs__hash_hsieh},
                                                  {"murmur", &evs__hash_murmur},
                                                  {"jenkins", &evs__hash_jenkins},
                                                  {NULL, NULL}};
