/* SPDX-License-Identifier: MIT */
/*
 * A lines worker with faults, each asked for:
 *   -u USEC  takes that long for each line       -c LINE  crashes on that line
 *   -b       answers only when 64 KiB are full   -e LINE  sleeps for ever on that line
 *   -p TEXT  puts it before each line            -r USEC  takes up to that long, at random
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void take(long usec)
{
    if (usec > 0)
        nanosleep(&(struct timespec){usec / 1000000, usec % 1000000 * 1000}, NULL);
}

int main(int argc, char **argv)
{
    long usec = 0;
    long random_usec = 0;
    const char *crash = NULL;
    const char *stop = NULL;
    const char *prefix = "";
    for (int option; (option = getopt(argc, argv, "u:r:c:e:p:b")) != -1;) {
        switch (option) {
        case 'u': usec = atol(optarg); break;
        case 'r': random_usec = atol(optarg); break;
        case 'c': crash = optarg; break;
        case 'e': stop = optarg; break;
        case 'p': prefix = optarg; break;
        case 'b': setvbuf(stdout, NULL, _IOFBF, 65536); break;
        default: return 2;
        }
    }
    srandom((unsigned)getpid());
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    while ((length = getline(&line, &size, stdin)) > 0) {
        line[length - 1] = '\0';
        if (crash != NULL && strcmp(line, crash) == 0) {
            fprintf(stderr, "crashing on %s\n", line);
            raise(SIGKILL);
        }
        while (stop != NULL && strcmp(line, stop) == 0)
            pause();
        take(usec + (random_usec > 0 ? random() % random_usec : 0));
        printf("%s%s\n", prefix, line);
    }
    free(line);
    return 0;
}
