/*
 * version.h - versions of Redis and Valkey as numbers that can be compared.
 *
 * Both share their past up to 7.2, so what came until then is in Valkey from the beginning.
 */
#ifndef EVS_CORE_VERSION_H
#define EVS_CORE_VERSION_H

#define EVS__VERSION(major, minor) ((major) << 8 | (minor))

enum {
    EVS__VERSION_ALWAYS = 0,
    EVS__VERSION_PARTED = EVS__VERSION(7, 2), /* the last one that Redis and Valkey share */
    EVS__VERSION_NEWEST = EVS__VERSION(99, 255),
    EVS__VERSION_NEVER = EVS__VERSION(100, 0)
};

/* The version of each server in which something came. */
typedef struct evs__since {
    unsigned short redis, valkey;
} evs__since;

#endif
