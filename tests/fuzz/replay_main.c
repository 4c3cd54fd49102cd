/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target on saved inputs, with any compiler: every file of the directories given, in
 * order of name, and the empty input. A missing directory is an empty one.
 */
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(1);
    }
    size_t size = (size_t)ftell(file);
    rewind(file);

    /* A buffer of the very size, on the heap, so that ASan sees a read past its end. */
    uint8_t *data = malloc(size + (size == 0));
    if (data == NULL || fread(data, 1, size, file) != size) {
        perror(path);
        exit(1);
    }
    (void)fclose(file);
    (void)fprintf(stderr, "%s\n", path); /* stays the last line if it crashes */
    (void)LLVMFuzzerTestOneInput(data, size);
    free(data);
}

static size_t replay_directory(const char *directory)
{
    struct dirent **entries = NULL;
    int count = scandir(directory, &entries, is_input, alphasort);
    for (int i = 0; i < count; i++) {
        char path[PATH_MAX];
        (void)snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);
        replay_file(path);
        free(entries[i]);
    }
    free(entries);
    return count < 0 ? 0 : (size_t)count;
}

int main(int argc, char **argv)
{
    (void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    size_t inputs = 1;
    for (int i = 1; i < argc; i++)
        inputs += replay_directory(argv[i]);
    (void)printf("replayed %zu inputs\n", inputs);
    return 0;
}
