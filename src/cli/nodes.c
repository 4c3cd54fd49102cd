/* SPDX-License-Identifier: MIT */
/* faymora nodes: who is in the Grid, what it has and how busy it is. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"
#include "cli/reach.h"
#include "item/json.h"

enum {
    WATCH = 1,
    BAR_CELLS = 9,
    ID_DIGITS = 8,
    WATCH_EVERY_US = 1000 * 1000
};

static const fay_flag flags[] = {
    {"watch", 'w', WATCH, NULL, "again each second, painted anew when something has changed"},
    FAY_REACH_FLAGS,
    {0},
};

typedef struct nodes {
    fay_reach reach;
    bool watch;
} nodes;

/* ---- the table ------------------------------------------------------------------------------- */

static const char *const head[] = {"NODE", "STATE",   "STRATEGY", "WEIGHT",   "LOAD",
                                   "",     "WORKERS", "CPU",      "MEM-FREE", "SEEN"};

enum {
    NODE,
    STATE,
    STRATEGY,
    WEIGHT,
    BAR,
    LOAD,
    WORKERS,
    CPU,
    MEMORY,
    SEEN,
    COLUMNS
};

typedef struct row {
    char *cells[COLUMNS]; /* owned */
    char *reason;         /* owned; NULL = none */
} row;

static char *text_or(const json_t *node, const char *name, const char *other)
{
    char *text = fay_reach_text(node, name);
    return text != NULL ? text : fay_strdup(other);
}

/* Two Nodes may have one name: then the id tells them apart. */
static char *name_cell(const json_t *list, const json_t *node)
{
    const char *name = json_string_value(json_object_get(node, "name"));
    size_t same = 0, i;
    json_t *other;
    json_array_foreach(list, i, other)
    {
        const char *its = json_string_value(json_object_get(other, "name"));
        same += name != NULL && its != NULL && strcmp(name, its) == 0 ? 1 : 0;
    }
    FAY_CLEANUP(fay_freep) char *text = text_or(node, "name", "");
    FAY_CLEANUP(fay_freep) char *id = text_or(node, "id", "?");
    if (same == 1)
        return fay_strdup(text);
    return fay_printed("%s%s%.*s", text, text[0] != '\0' ? "/" : "", ID_DIGITS, id);
}

static char *weight_cell(const json_t *weight)
{
    double value = json_number_value(weight);
    if (!json_is_number(weight))
        return fay_strdup("-");
    bool tenths = round(value * 10) == value * 10 && fabs(value) < 1e6;
    return tenths ? fay_printed("%+.1f", value) : fay_printed("%+g", value);
}

/* ███████░░ */
static char *bar_cell(const json_t *load)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer bar = {0};
    if (!json_is_number(load))
        return fay_strdup("-");
    double share = FAY_MIN(FAY_MAX(json_number_value(load), 0.0), 1.0);
    int full = (int)lround(share * BAR_CELLS);
    for (int i = 0; i < BAR_CELLS; i++) {
        fay_buffer_append_text(&bar, i < full ? "\xe2\x96\x88" : "\xe2\x96\x91");
    }
    return fay_strdup(fay_buffer_text(&bar));
}

static char *number_cell(const json_t *number, int decimals)
{
    return json_is_number(number) ? fay_printed("%.*f", decimals, json_number_value(number))
                                  : fay_strdup("-");
}

static char *cores_cell(const json_t *cores)
{
    double value = json_number_value(cores);
    return number_cell(cores, value == floor(value) ? 0 : 1);
}

/* "11G": of 1024 as everywhere, cut to what fits. */
static char *size_cell(const json_t *size)
{
    char text[FAY_UNITS_TEXT_MAX];
    if (!json_is_number(size) || json_number_value(size) < 0)
        return fay_strdup("-");
    (void)fay_size_text((uint64_t)json_number_value(size), text);
    char *unit = strstr(text, "iB");
    if (unit != NULL)
        *unit = '\0';
    return fay_strdup(text);
}

/* "now": it has answered. "2026-11-24 21:13Z": since then it is gone. */
static char *seen_cell(const json_t *node, const char *state)
{
    if (json_is_number(json_object_get(node, "load")))
        return fay_strdup("now");
    if (strcmp(state, "alive") == 0 || strcmp(state, "suspect") == 0)
        return fay_strdup("silent");
    char *since = text_or(node, "since", "-");
    if (strlen(since) > strlen("2026-11-24T21:13") && since[10] == 'T') {
        since[10] = ' ';
        since[16] = 'Z';
        since[17] = '\0';
    }
    return since;
}

static row make_row(const json_t *list, const json_t *node)
{
    row r = {.reason = fay_reach_text(node, "reason")};
    FAY_CLEANUP(fay_freep) char *state = text_or(node, "state", "?");
    bool drains = strcmp(state, "alive") == 0 && json_is_true(json_object_get(node, "draining"));
    bool agent = json_is_true(json_object_get(node, "agent"));
    r.cells[NODE] = name_cell(list, node);
    r.cells[STATE] = fay_strdup(drains ? "drain" : state);
    r.cells[STRATEGY] = agent ? text_or(node, "strategy", "-") : fay_strdup("-");
    r.cells[WEIGHT] = agent ? weight_cell(json_object_get(node, "weight")) : fay_strdup("-");
    r.cells[BAR] = bar_cell(json_object_get(node, "load"));
    r.cells[LOAD] = number_cell(json_object_get(node, "load"), 2);
    r.cells[WORKERS] = number_cell(json_object_get(node, "workers"), 0);
    r.cells[CPU] = cores_cell(json_object_get(node, "cpus"));
    r.cells[MEMORY] = size_cell(json_object_get(node, "mem_free"));
    r.cells[SEEN] = seen_cell(node, state);
    return r;
}

static void free_row(row *r)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        fay_freep((void *)&r->cells[i]);
    }
    fay_freep((void *)&r->reason);
}

/* Columns that a text takes: its characters. */
static int width(const char *text)
{
    int count = 0;
    for (; *text != '\0'; text++) {
        count += ((unsigned char)*text & 0xc0) != 0x80 ? 1 : 0;
    }
    return count;
}

static const char *colour_of(const char *state)
{
    static const char *const colours[][2] = {{"alive", "\x1b[32m"},
                                             {"drain", "\x1b[34m"},
                                             {"suspect", "\x1b[33m"},
                                             {"dead", "\x1b[31m"}};
    for (size_t i = 0; i < FAY_COUNT(colours); i++) {
        if (strcmp(state, colours[i][0]) == 0)
            return colours[i][1];
    }
    return "";
}

static void append_cells(fay_buffer *out, const char *const *cells, const int *widths,
                         bool coloured)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        const char *colour = coloured && i == STATE ? colour_of(cells[i]) : "";
        int pad = i + 1 < COLUMNS ? widths[i] - width(cells[i]) : 0;
        fay_buffer_printf(out, "%s%s%s%s%*s", i > 0 ? " " : "", colour, cells[i],
                          colour[0] != '\0' ? "\x1b[0m" : "", pad, "");
    }
}

static void append_table(fay_buffer *out, const json_t *list, bool coloured)
{
    size_t count = json_array_size(list);
    FAY_CLEANUP(fay_freep) row *rows = fay_alloc(count * sizeof *rows);
    int widths[COLUMNS];
    for (size_t c = 0; c < COLUMNS; c++) {
        widths[c] = width(head[c]);
    }
    for (size_t i = 0; i < count; i++) {
        rows[i] = make_row(list, json_array_get(list, i));
        for (size_t c = 0; c < COLUMNS; c++) {
            widths[c] = FAY_MAX(widths[c], width(rows[i].cells[c]));
        }
    }
    append_cells(out, head, widths, false);
    fay_buffer_append_text(out, "\n");
    for (size_t i = 0; i < count; i++) {
        append_cells(out, (const char *const *)rows[i].cells, widths, coloured);
        if (rows[i].reason != NULL)
            fay_buffer_printf(out, "  \"%s\"", rows[i].reason);
        fay_buffer_append_text(out, "\n");
        free_row(&rows[i]);
    }
}

/* ---- the verb -------------------------------------------------------------------------------- */

/* 0 and a text; or the exit code. */
static int ask(nodes *n, fay_buffer *text)
{
    const fay_cli *cli = n->reach.cli;
    int exit = 0;
    json_t *args = json_object();
    if (cli->timeout > 0) { /* there is to be an answer even if somebody does not give any */
        (void)json_object_set_new(args, "timeout",
                                  json_real((double)cli->timeout / 2 / (double)FAY_SECOND));
    }
    json_t *result = fay_reach_call(&n->reach, "nodes", args, &exit);
    if (result == NULL)
        return exit;
    if (cli->json) {
        fay_json_append_value(text, result);
        fay_buffer_append_text(text, "\n");
    } else {
        append_table(text, json_object_get(result, "nodes"), fay_cli_coloured(cli, STDOUT_FILENO));
    }
    json_decref(result);
    return 0;
}

static bool same(const fay_buffer *a, const fay_buffer *b)
{
    return fay_buffer_size(a) == fay_buffer_size(b) &&
           memcmp(fay_buffer_data(a), fay_buffer_data(b), fay_buffer_size(a)) == 0;
}

/* On a terminal in the place of the one before; elsewhere one behind the other. */
static int paint(const nodes *n, const fay_buffer *text)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer screen = {0};
    if (n->watch && !n->reach.cli->json && isatty(STDOUT_FILENO))
        fay_buffer_append_text(&screen, "\x1b[H\x1b[2J");
    fay_buffer_append(&screen, fay_buffer_data(text), fay_buffer_size(text));
    return fay_cli_print(&screen);
}

static int show(nodes *n)
{
    FAY_CLEANUP(fay_buffer_deinit) fay_buffer shown = {0};
    int exit = fay_reach_open(&n->reach, NULL);
    while (exit == 0) {
        FAY_CLEANUP(fay_buffer_deinit) fay_buffer text = {0};
        exit = ask(n, &text);
        if (exit == 0 && !same(&text, &shown))
            exit = paint(n, &text);
        if (!n->watch || exit != 0)
            break;
        fay_buffer_clear(&shown);
        fay_buffer_append(&shown, fay_buffer_data(&text), fay_buffer_size(&text));
        (void)usleep(WATCH_EVERY_US);
    }
    return exit;
}

static bool take_flag(fay_cli *cli, void *context)
{
    nodes *n = context;
    (void)cli;
    n->watch = true;
    return true;
}

static int run(fay_cli *cli)
{
    nodes n = {0};
    if (!fay_reach_parse(&n.reach, cli, NULL, 0, take_flag, &n))
        return cli->exit;
    int exit = show(&n);
    fay_reach_close(&n.reach);
    return exit;
}

const fay_cli_command fay_command_nodes = {
    .name = "nodes",
    .usage = "nodes [-w] [--json]",
    .summary = "who is in the Grid, and how busy",
    .examples = "faymora nodes\n"
                "faymora nodes -w                     # painted anew when something changes\n"
                "faymora nodes --grid a:7331 --json | jq -r '.nodes[] | select(.state == \"dead\")"
                ".name'",
    .notes =
        "The Node that is called knows all members, and asks those that are alive how they are\n"
        "at this moment, for half a second, or half of --timeout. SEEN is now for those that\n"
        "have answered, silent for those that have not; of others, since when they are gone.",
    .exits = "0 ok\n"
             "2 usage\n"
             "4 no Node can be called",
    .flags = flags,
    .run = run,
};
