/* SPDX-License-Identifier: MIT */
#include "report/joblog.h"

#include <string.h>

void fay_joblog_header(fay_buffer *out)
{
    fay_buffer_append_text(out, "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\t"
                                "Command\tStage\tAttempt\tWorker\tItemId\tOutcome\n");
}

/* A text as one field: what would end the field or the line becomes a space. */
static void append_field(fay_buffer *out, const char *text)
{
    for (const char *c = text != NULL ? text : ""; *c != '\0'; c++)
        fay_buffer_append(out, strchr("\t\n\r", *c) != NULL ? " " : c, 1);
}

void fay_joblog_line(const fay_job *job, fay_buffer *out)
{
    fay_buffer_printf(out, "%llu\t", (unsigned long long)job->seq);
    append_field(out, job->host);
    /* Widths and digits are GNU parallel's. It writes 0 where there was no exit code. */
    fay_buffer_printf(out, "\t%.3f\t%10.3f\t%llu\t%llu\t%d\t%d\t", job->start_s, job->runtime_s,
                      (unsigned long long)job->sent, (unsigned long long)job->received,
                      FAY_MAX(job->exit, 0), job->signal);
    append_field(out, job->command);
    fay_buffer_append_text(out, "\t");
    append_field(out, job->stage);
    fay_buffer_printf(out, "\t%u\t%u\t", job->attempt, job->worker);
    append_field(out, job->item_id);
    fay_buffer_append_text(out, "\t");
    append_field(out, job->outcome);
    fay_buffer_append_text(out, "\n");
}
