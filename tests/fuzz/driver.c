/*
 * driver.c - runs a fuzz target without a fuzzer.
 *
 *   fuzz.NAME [RUNS [SEED]]
 *
 * A target is a file fuzz_NAME.c with the function LLVMFuzzerTestOneInput, and a folder
 * corpus/NAME. The driver runs every file of the folder as it is, then RUNS inputs made by changing
 * and splicing them at random. The same seed gives the same inputs. The input being run is kept in
 * the file fuzz.NAME.input (a shared mapping), where it is found after a crash.
 *
 * With clang the same target runs under libFuzzer: leave this file out, add -fsanitize=fuzzer.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LONGEST = 16 * 1024, MOST_SEEDS = 4096, MOST_CHANGES = 8 };

typedef struct input {
    uint8_t *data;
    size_t size;
} input;

typedef struct folder {
    input *inputs;
    size_t count;
} folder;

/* splitmix64 */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* A number below `limit`; 0 when `limit` is 0. */
static size_t below(uint64_t *state, size_t limit)
{
    return limit == 0 ? 0 : (size_t)(next_random(state) % limit);
}

static int read_input(input *out, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return 0;
    out->data = malloc(LONGEST);
    out->size = out->data == NULL ? 0 : fread(out->data, 1, LONGEST, file);
    fclose(file);
    return out->data != NULL;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void read_corpus(folder *out, const char *path)
{
    struct dirent **names;
    int count = scandir(path, &names, NULL, by_name);
    out->inputs = calloc(MOST_SEEDS, sizeof *out->inputs);
    for (int i = 0; i < count; i++) {
        char file[4096];
        snprintf(file, sizeof file, "%s/%s", path, names[i]->d_name);
        if (names[i]->d_name[0] != '.' && out->inputs != NULL && out->count < MOST_SEEDS)
            out->count += (size_t)read_input(&out->inputs[out->count], file);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
}

static void free_corpus(folder *corpus)
{
    for (size_t i = 0; i < corpus->count; i++)
        free(corpus->inputs[i].data);
    free(corpus->inputs);
}

static void remove_bytes(input *in, size_t at, size_t count)
{
    memmove(in->data + at, in->data + at + count, in->size - at - count);
    in->size -= count;
}

/* Puts `count` bytes in at `at`, as many as fit. */
static void insert_bytes(input *in, size_t at, const uint8_t *bytes, size_t count)
{
    if (count > LONGEST - in->size)
        count = LONGEST - in->size;
    memmove(in->data + at + count, in->data + at, in->size - at);
    if (count > 0)
        memcpy(in->data + at, bytes, count);
    in->size += count;
}

static void change(input *in, const input *other, uint64_t *random)
{
    size_t at = below(random, in->size + 1);
    size_t left = in->size - at;
    size_t from = below(random, other->size);
    size_t count = 1 + below(random, 1 + below(random, 32));
    uint8_t byte = (uint8_t)next_random(random);
    switch (next_random(random) % 7) {
    case 0: /* a byte becomes another */
        if (left > 0)
            in->data[at] = byte;
        break;
    case 1: /* a bit flips */
        if (left > 0)
            in->data[at] ^= (uint8_t)(1u << (byte % 8));
        break;
    case 2:
        insert_bytes(in, at, &byte, 1);
        break;
    case 3:
        remove_bytes(in, at, count < left ? count : left);
        break;
    case 4: /* a piece of the other input comes in */
        insert_bytes(in, at, other->data + from,
                     count < other->size - from ? count : other->size - from);
        break;
    case 5: /* the rest becomes the rest of the other */
        remove_bytes(in, at, left);
        insert_bytes(in, at, other->data + from, other->size - from);
        break;
    default: /* the input ends here */
        if (byte % 4 == 0)
            remove_bytes(in, at, left);
        break;
    }
}

/* A target never sees more bytes than there are: it gets a copy of exactly that size. */
static void run_one(uint8_t *shown, const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size == 0 ? 1 : size);
    if (copy == NULL)
        abort();
    if (size > 0)
        memcpy(copy, data, size);
    if (shown != NULL) {
        memcpy(shown, &size, sizeof size);
        if (size > 0)
            memcpy(shown + sizeof size, data, size);
    }
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

/* The first 8 bytes of the file are the input's size. */
static uint8_t *show_inputs(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
    size_t size = LONGEST + sizeof(size_t);
    if (fd < 0 || ftruncate(fd, (off_t)size) != 0)
        return NULL;
    void *shown = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return shown == MAP_FAILED ? NULL : shown;
}

static void run_changed(const folder *corpus, unsigned long runs, uint64_t seed, uint8_t *shown)
{
    input now = {malloc(LONGEST), 0};
    uint64_t random = seed;
    for (unsigned long run = 0; run < runs && now.data != NULL; run++) {
        const input *base = &corpus->inputs[below(&random, corpus->count)];
        memcpy(now.data, base->data, base->size);
        now.size = base->size;
        size_t changes = 1 + below(&random, MOST_CHANGES);
        for (size_t i = 0; i < changes; i++)
            change(&now, &corpus->inputs[below(&random, corpus->count)], &random);
        run_one(shown, now.data, now.size);
    }
    free(now.data);
}

int main(int argc, char **argv)
{
    unsigned long runs = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    folder corpus = {NULL, 0};
    read_corpus(&corpus, EVS_FUZZ_CORPUS);
    printf("%zu inputs of %s, then %lu made with seed %" PRIu64 "\n", corpus.count, EVS_FUZZ_CORPUS,
           runs, seed);
    if (corpus.count == 0) {
        free_corpus(&corpus);
        return 1;
    }
    uint8_t *shown = show_inputs(EVS_FUZZ_NAME ".input");
    for (size_t i = 0; i < corpus.count; i++)
        run_one(shown, corpus.inputs[i].data, corpus.inputs[i].size);
    run_changed(&corpus, runs, seed, shown);
    if (shown != NULL)
        munmap(shown, LONGEST + sizeof(size_t));
    free_corpus(&corpus);
    return 0;
}
