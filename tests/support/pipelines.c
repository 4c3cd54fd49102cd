/* SPDX-License-Identifier: MIT */
#include "support/pipelines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/load.h"

fay_pipeline *pipeline_of(const char *yaml)
{
    fay_config_errors errors = {0};
    fay_pipeline *p = fay_pipeline_parse(yaml, strlen(yaml), "p.yaml", "p", &errors);
    if (p == NULL) {
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
        fay_config_errors_print(&errors, &text);
        fail_msg("%s", fay_buffer_text(&text));
    }
    fay_config_errors_deinit(&errors);
    return p;
}
