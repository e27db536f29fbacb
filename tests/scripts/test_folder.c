/* Listing a folder when memory runs out. What is listed and read is shown by test_registry.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/mem.h"
#include "scripts/folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILES = 60 };

static void make_path(char path[128], const char *folder, int i)
{
    snprintf(path, 128, "%s/a_name_long_enough_to_fill_several_blocks_%d.lua", folder, i);
}

static void running_out_of_memory_is_said(void **state)
{
    (void)state;
    char folder[] = "/tmp/evs-folder-XXXXXX", path[128];
    assert_non_null(mkdtemp(folder));
    for (int i = 0; i < FILES; i++) {
        make_path(path, folder, i);
        int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        close(fd);
    }

    size_t fail_at = 0, count;
    evs_status status;
    do {
        evs__folder found = EVS__FOLDER_INIT;
        evs__mem_fail_at(++fail_at);
        status = evs__folder_list(&found, folder, NULL);
        evs__mem_fail_at(0);
        assert_true(status == EVS_OK || status == EVS_E_NOMEM);
        count = found.count;
        evs__folder_free(&found);
    } while (status != EVS_OK);
    assert_int_equal(count, FILES);
    assert_true(fail_at > 5);

    for (int i = 0; i < FILES; i++) {
        make_path(path, folder, i);
        unlink(path);
    }
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(running_out_of_memory_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
