/* SPDX-License-Identifier: MIT */
/* The no-op C class: each Item is its own result. */
#include <faymora.h>

static int pass_on(void *self, fay_ctx *ctx, const fay_item *item)
{
    (void)self;
    size_t size;
    const void *data = fay_item_data(item, &size);
    return fay_emit(ctx, data, size) == FAY_OK ? FAY_ACK : FAY_RETRY;
}

int main(int argc, char **argv)
{
    static const fay_worker_class noop = {
        .size = sizeof noop, .abi = FAY_ABI, .name = "pass-on", .version = "1", .process = pass_on};
    return fay_worker_main(argc, argv, &noop);
}
