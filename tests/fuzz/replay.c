/*
 * replay.c - runs a harness over its kept corpus, so that what fuzzing once found stays found in every build.
 *
 * usage: replay_x [FILE-OR-FOLDER ...]; without arguments FUZZ_CORPUS, below $srcdir.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

#define INPUT_MAX (4u << 20)

static unsigned inputs;

static int replay_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) return perror(path), 1;
    uint8_t *data = malloc(INPUT_MAX);
    size_t size = data ? fread(data, 1, INPUT_MAX, file) : 0;
    fclose(file);
    if (!data) return 1;
    uint8_t *exact = malloc(size ? size : 1); /* so that a sanitizer sees the end */
    if (exact) {
        memcpy(exact, data, size);
        LLVMFuzzerTestOneInput(exact, size);
        inputs++;
    }
    free(exact);
    free(data);
    return 0;
}

static int replay(const char *path) {
    DIR *folder = opendir(path);
    if (!folder) return replay_file(path);
    int failed = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        char inside[4096];
        if (snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name) < (int)sizeof inside) {
            failed |= replay(inside);
        }
    }
    closedir(folder);
    return failed;
}

int main(int argc, char **argv) {
    int failed = 0;
    for (int i = 1; i < argc; i++) failed |= replay(argv[i]);
    if (argc == 1) {
        const char *root = getenv("srcdir");
        char path[4096];
        if (snprintf(path, sizeof path, "%s/%s", root ? root : ".", FUZZ_CORPUS) >=
            (int)sizeof path)
            return 1;
        failed = replay(path);
    }
    printf("%u inputs\n", inputs);
    return failed || inputs == 0;
}
