/*
 * discover.h - finding out who serves which slot of a cluster.
 */
#ifndef EVS_SCRIPTS_ENGINE_DISCOVER_H
#define EVS_SCRIPTS_ENGINE_DISCOVER_H

#include "scripts/engine/cluster.h"

/* Asks for the topology soon, `first` before others if it is not NULL. However often it is wanted,
 * there is one question at a time. */
void evs__discover(evs__cluster *cluster, const evs__node *first);

/* The cluster's timer has fired. */
void evs__discover_tick(evs__cluster *cluster);

/* Frees questions whose connections are gone. */
void evs__discover_drop(evs__cluster *cluster);

#endif
