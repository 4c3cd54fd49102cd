/* SPDX-License-Identifier: MIT */
/*
 * A worker as a C class: upper case of each Item, and an attribute that says how long it is. Built
 * twice from this file: as a program, and with -DMODULE as a module.
 */
#include <ctype.h>
#include <faymora.h>
#include <stdlib.h>

static int upcase(void *self, fay_ctx *ctx, const fay_item *in)
{
    size_t size;
    const char *text = fay_item_data(in, &size);
    (void)self;
    if (size == 0)
        return FAY_ACK; /* nothing emitted: the Item ends here */

    char *upper = malloc(size);
    if (upper == NULL)
        return fay_fail(ctx, FAY_RETRY, "out of memory");
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\0') {
            free(upper);
            return fay_fail(ctx, FAY_POISON, "byte %zu is no text", i);
        }
        upper[i] = (char)toupper((unsigned char)text[i]);
    }

    fay_item *out = fay_item_copy(in); /* keeps the attributes */
    int rc = out != NULL ? fay_item_set_bytes(out, "data", upper, size) : FAY_E_NOMEM;
    free(upper);
    if (rc == FAY_OK)
        rc = fay_item_set_int(out, "length", (int64_t)size);
    if (rc != FAY_OK) {
        fay_item_unref(out);
        return fay_fail(ctx, FAY_RETRY, "%s", fay_strstatus((fay_status)rc));
    }
    return fay_emit_item(ctx, out) == FAY_OK ? FAY_ACK : FAY_RETRY;
}

static const fay_worker_class cls = {
    .size = sizeof cls,
    .abi = FAY_ABI,
    .name = "upcase",
    .version = "1",
    .process = upcase,
};

#ifdef MODULE
FAY_WORKER_MODULE(cls)
#else
int main(int argc, char **argv)
{
    return fay_worker_main(argc, argv, &cls);
}
#endif
