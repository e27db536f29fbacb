/*
 * demo_steps.h - what the demonstration shows, one function a step. Each prints its part and
 * returns EXIT_FINE; or says what went wrong and returns the exit code; or returns
 * DEMO_INTERRUPTED.
 */
#ifndef EVS_TOOLS_DEMO_STEPS_H
#define EVS_TOOLS_DEMO_STEPS_H

#include "tools/evalshard/demo_stage.h"

/* No exit code: the caller ends by the signal itself. */
enum { DEMO_INTERRUPTED = 256 };

/* Ctrl-C and the like are held back while the demonstration runs, and asked for between calls. */
int demo_is_interrupted(void);

int demo_show_map(demo *d);
int demo_show_posts(demo *d);
int demo_show_batch(demo *d);
int demo_show_heal(demo *d);
int demo_show_crash(demo *d);
int demo_show_refusal(demo *d);
int demo_show_audit(demo *d);

#endif
