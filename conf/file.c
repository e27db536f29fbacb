#include "conf/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STEP = 64 * 1024 };

static evs__file_got read_all(evs__buf *out, int fd, size_t limit)
{
    for (;;) {
        char *room = evs__buf_reserve(out, STEP);
        if (room == NULL)
            return EVS__FILE_NOMEM;
        ssize_t n = read(fd, room, STEP);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return EVS__FILE_FAILED;
        if (n == 0)
            return EVS__FILE_READ;
        out->len += (size_t)n;
        if (out->len > limit)
            return EVS__FILE_TOO_BIG;
    }
}

evs__file_got evs__file_read(evs__buf *out, const char *path, size_t limit, int *open_to_all)
{
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return EVS__FILE_FAILED;
    if (open_to_all != NULL)
        *open_to_all = fstat(fd, &about) == 0 && (about.st_mode & S_IROTH) != 0;
    evs__file_got got = read_all(out, fd, limit);
    int why = errno;
    close(fd);
    errno = why;
    return got;
}
