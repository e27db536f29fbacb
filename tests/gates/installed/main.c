/* What a stranger's program does first: the header it was compiled with, the library it runs with.
 */
#include <evalshard/base.h>

#include <stdio.h>

int main(void)
{
    printf("%d.%d.%d %s\n", EVS_VERSION_MAJOR, EVS_VERSION_MINOR, EVS_VERSION_PATCH, evs_version());
    return evs_status_name(EVS_OK) == NULL;
}
