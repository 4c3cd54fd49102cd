/* SPDX-License-Identifier: MIT */
/*
 * A lines worker with faults, each asked for:
 *   -u USEC  takes that long for each line       -c LINE  crashes on that line
 *   -b       answers when it has read no more    -e LINE  sleeps for ever on that line
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
    static char text[1 << 16]; /* what was read; whole lines are worked on, then the rest moved */
    size_t have = 0;
    for (ssize_t n; (n = read(STDIN_FILENO, text + have, sizeof text - have)) > 0;) {
        have += (size_t)n;
        char *at = text;
        for (char *end; (end = memchr(at, '\n', have - (size_t)(at - text))) != NULL;
             at = end + 1) {
            *end = '\0';
            if (crash != NULL && strcmp(at, crash) == 0) {
                fprintf(stderr, "crashing on %s\n", at);
                raise(SIGKILL);
            }
            while (stop != NULL && strcmp(at, stop) == 0)
                pause();
            take(usec + (random_usec > 0 ? random() % random_usec : 0));
            printf("%s%s\n", prefix, at);
        }
        have -= (size_t)(at - text);
        memmove(text, at, have);
        fflush(stdout);
    }
    return 0;
}
