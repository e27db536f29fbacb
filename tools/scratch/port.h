/*
 * port.h - TCP ports on 127.0.0.1 for servers that are started soon, or again.
 */
#ifndef EVS_TOOLS_PORT_H
#define EVS_TOOLS_PORT_H

/* A port that nobody has. While the file descriptor `*holder`, which is the caller's to close, is
 * open, nobody else gets it by asking for any port. -1 where the system does not let ports be held
 * so. Returns 0 with errno when there is no port. */
int scratch__hold_port(int *holder);

#endif
