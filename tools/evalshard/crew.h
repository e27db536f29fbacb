/*
 * crew.h - servers asked at the same time, by threads that share the work.
 */
#ifndef EVS_TOOLS_CREW_H
#define EVS_TOOLS_CREW_H

#include "tools/evalshard/probe.h"

/* Asks each of them everything (probe_ask), and shows how far it is. Works without any thread, too,
 * one after the other. */
void crew_ask(probe *servers, size_t count);

#endif
