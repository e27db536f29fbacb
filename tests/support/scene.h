/*
 * scene.h - what those who set servers up for tests have in common.
 */
#ifndef EVS_TESTS_SUPPORT_SCENE_H
#define EVS_TESTS_SUPPORT_SCENE_H

enum { SCENE_MOMENT_MS = 10 };

/* Ends the test program, which ends its servers. */
_Noreturn void scene_die(const char *what, const char *why);

/* Between two looks at something that is awaited. */
void scene_pause(void);

/* A TCP port for a server of this program, which nobody else gets before the program ends. */
int scene_free_port(void);

#endif
