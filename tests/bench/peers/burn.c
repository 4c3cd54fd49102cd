/* SPDX-License-Identifier: MIT */
/*
 * Burns MS milliseconds of CPU time, N times over: the limit of work that is all CPU.
 *
 *     burn MS [N]
 */
#include <stdlib.h>

#include "burn.h"

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    for (long n = argc > 2 ? atol(argv[2]) : 1; n > 0; n--)
        burn(atof(argv[1]));
    return 0;
}
