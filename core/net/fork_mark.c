/* MADV_WIPEONFORK (Linux 4.14) where the kernel has it, else the process id is asked each time. */
#include "core/net/fork_mark.h"

#include "core/mem.h"

#include <sys/mman.h>
#include <unistd.h>

static volatile char *map_page(size_t size)
{
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return NULL;
    if (madvise(page, size, MADV_WIPEONFORK) != 0) {
        munmap(page, size);
        return NULL;
    }
    return page;
}

evs__fork_mark *evs__fork_mark_new(void)
{
    evs__fork_mark *mark = evs__zalloc_array(1, sizeof *mark);
    if (mark == NULL)
        return NULL;
    mark->pid = getpid();
    mark->size = (size_t)sysconf(_SC_PAGESIZE);
    mark->page = map_page(mark->size);
    if (mark->page != NULL)
        mark->page[0] = 1;
    return mark;
}

void evs__fork_mark_free(evs__fork_mark *mark)
{
    if (mark == NULL)
        return;
    if (mark->page != NULL)
        munmap((void *)mark->page, mark->size);
    evs__free(mark);
}

int evs__fork_mark_ask(const evs__fork_mark *mark)
{
    return getpid() != mark->pid;
}
