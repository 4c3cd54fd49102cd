/* SPDX-License-Identifier: MIT */
/* What commands share that use keys and certificates. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"

const char *fay_cli_variable(void *context, const char *name)
{
    (void)context;
    return getenv(name); // NOLINT(concurrency-mt-unsafe): before there are threads
}

int fay_cli_tls(const fay_cli *cli, fay_tls_settings *ret)
{
    fay_error err = {0};
    int r = fay_tls_settings_resolve(&cli->tls, fay_cli_variable, NULL, ret, &err);
    if (r < 0)
        return fay_cli_fail(&err, r == FAY_E_INVAL ? FAY_EXIT_USAGE : FAY_EXIT_TLS);
    for (char **warning = ret->warnings; warning != NULL && *warning != NULL; warning++) {
        if (!cli->quiet)
            (void)fprintf(stderr, "faymora: warning: %s\n", *warning);
    }
    return 0;
}
