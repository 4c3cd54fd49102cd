/* SPDX-License-Identifier: MIT */
/*
 * faymora-worker: the process that a module runs in.
 *
 *     faymora-worker ./resize.so
 *
 * A module is compiled against the headers alone; the fay_* functions it calls are this program's
 * own, exported to it. One module, one process: its crash is nobody else's.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include <faymora/worker.h>

#include "base/base.h"
#include "sdk/session.h"

static int load(const char *path, const fay_worker_class **ret, fay_error *err)
{
    /* A bare name would be looked for where libraries are. */
    FAY_CLEANUP(fay_freep) char *in_here = NULL;
    if (strchr(path, '/') == NULL && asprintf(&in_here, "./%s", path) < 0)
        return fay_fail_with(err, FAY_E_NOMEM, "out of memory");
    void *module = dlopen(in_here != NULL ? in_here : path, RTLD_NOW | RTLD_LOCAL);
    if (module == NULL) {
        const char *why = dlerror(); /* NOLINT(concurrency-mt-unsafe): there is one thread */
        return fay_fail_with(err, FAY_E_NOTFOUND, "cannot load the module: %s", why);
    }
    const fay_worker_class *(*entry)(void);
    void *symbol = dlsym(module, "fay_worker_entry");
    if (symbol == NULL) {
        (void)fay_fail_with(err, FAY_E_ABI, "%s has no fay_worker_entry()", path);
        fay_hint(err, "write FAY_WORKER_MODULE(cls) in it, and link it with -shared -fPIC");
        return FAY_E_ABI;
    }
    memcpy(&entry, &symbol, sizeof entry); /* ISO C has no cast from data to code */
    *ret = entry();
    return 0;
}

int main(int argc, char **argv)
{
    const fay_worker_class *cls = NULL;
    fay_error err = {0};
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return printf("faymora-worker %s\n", fay_version_string()) > 0 ? 0 : 1;
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        (void)fputs("usage: faymora-worker MODULE.so [ARG...]\n"
                    "Hosts a worker module for a run; a pipeline file names it: {module: ./x.so}\n",
                    argc < 2 ? stderr : stdout);
        return argc < 2 ? 2 : 0;
    }
    if (load(argv[1], &cls, &err) != 0)
        return fay_worker_refuse(argc, argv, &err);
    return fay_worker_main(argc - 1, argv + 1, cls);
}
