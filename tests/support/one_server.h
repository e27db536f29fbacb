/*
 * one_server.h - one scratch server for a group of tests, and a connection of hiredis to it.
 *
 *     return cmocka_run_group_tests(tests, one_server_begin, one_server_end);
 *
 * Every test gets the redisContext as *state.
 */
#ifndef EVS_TESTS_SUPPORT_ONE_SERVER_H
#define EVS_TESTS_SUPPORT_ONE_SERVER_H

int one_server_begin(void **state);
int one_server_end(void **state);

#endif
