/* SPDX-License-Identifier: MIT */
#include "base/units.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    const char *name;
    double factor;
};

static const struct unit durations[] = {{"", 1e9},     {"ns", 1},     {"us", 1e3},
                                        {"ms", 1e6},   {"s", 1e9},    {"m", 60e9},
                                        {"min", 60e9}, {"h", 3600e9}, {"d", 86400e9}};
static const struct unit sizes[] = {
    {"", 1},
    {"B", 1},
    {"K", 1024.0},
    {"KiB", 1024.0},
    {"M", 1048576.0},
    {"MiB", 1048576.0},
    {"G", 1073741824.0},
    {"GiB", 1073741824.0},
    {"T", 1099511627776.0},
    {"TiB", 1099511627776.0},
    {"KB", 1e3},
    {"kB", 1e3},
    {"MB", 1e6},
    {"GB", 1e9},
    {"TB", 1e12},
};

static int parse(const char *text, const struct unit *units, size_t count, uint64_t *ret)
{
    if (*text < '0' || *text > '9')
        return FAY_E_INVAL; /* no sign, no space, no "inf", no hexadecimal */
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        return FAY_E_INVAL;
    char *end;
    errno = 0;
    double number = strtod(text, &end);
    if (errno != 0)
        return FAY_E_INVAL;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(end, units[i].name) != 0)
            continue;
        double value = number * units[i].factor;
        if (!(value >= 0 && value < 9e18))
            return FAY_E_INVAL;
        *ret = (uint64_t)(value + 0.5);
        return 0;
    }
    return FAY_E_INVAL;
}

int fay_duration_parse(const char *text, fay_ns *ret_duration)
{
    return parse(text, durations, FAY_COUNT(durations), ret_duration);
}

int fay_size_parse(const char *text, uint64_t *ret_size)
{
    return parse(text, sizes, FAY_COUNT(sizes), ret_size);
}

const char *fay_duration_text(fay_ns duration, char text[FAY_UNITS_TEXT_MAX])
{
    double seconds = (double)duration / 1e9;
    unsigned long long whole = (unsigned long long)(seconds + 0.5);
    if (duration < FAY_MS) {
        (void)snprintf(text, FAY_UNITS_TEXT_MAX, "%.0fus", seconds * 1e6);
    } else if (duration < FAY_SECOND) {
        (void)snprintf(text, FAY_UNITS_TEXT_MAX, "%.0fms", seconds * 1e3);
    } else if (seconds < 60) {
        (void)snprintf(text, FAY_UNITS_TEXT_MAX, "%.1fs", seconds);
    } else if (seconds < 3600) {
        (void)snprintf(text, FAY_UNITS_TEXT_MAX, "%llum%02llus", whole / 60, whole % 60);
    } else {
        (void)snprintf(text, FAY_UNITS_TEXT_MAX, "%lluh%02llum", whole / 3600, whole / 60 % 60);
    }
    return text;
}

const char *fay_size_text(uint64_t size, char text[FAY_UNITS_TEXT_MAX])
{
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)size;
    size_t unit = 0;
    while (value >= 1024 && unit + 1 < FAY_COUNT(names)) {
        value /= 1024;
        unit++;
    }
    bool whole = value >= 100 || (double)(uint64_t)value == value;
    (void)snprintf(text, FAY_UNITS_TEXT_MAX, whole ? "%.0f%s" : "%.1f%s", value, names[unit]);
    return text;
}
