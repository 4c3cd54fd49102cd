/* SPDX-License-Identifier: MIT */
/*
 * The time line as an SVG (eq_results.h): one panel for each stage, workers over time, a line for
 * each controller. Coordinates are printed with one decimal, so that the file is the same anywhere.
 */
#include <inttypes.h>

#include "sim/eq_results.h"

enum {
    WIDTH = 900,
    PANEL = 180, /* height of a panel with its caption */
    LEFT = 50,
    RIGHT = 20,
    TOP = 60,
    CAPTION = 30
};

static const char *const colours[] = {"#000000", "#d95f02", "#1b9e77", "#7570b3", "#e7298a",
                                      "#66a61e", "#e6ab02", "#1f78b4", "#a6761d"};

static const char *colour(size_t controller)
{
    return colours[controller % FAY_COUNT(colours)];
}

static uint32_t most_workers(const fay_eq_results *results, size_t stage)
{
    uint32_t most = 1;
    for (size_t i = 0; i < results->controllers_count; i++) {
        const fay_eq_record *record = &results->records[i];
        for (size_t period = 0; period < record->periods; period++) {
            most = FAY_MAX(most, fay_eq_record_sample(record, period, stage)->workers);
        }
    }
    return most;
}

static size_t most_periods(const fay_eq_results *results)
{
    size_t most = 1;
    for (size_t i = 0; i < results->controllers_count; i++) {
        most = FAY_MAX(most, results->records[i].periods);
    }
    return most;
}

static void print_line(const fay_eq_record *record, size_t stage, const double scale[2],
                       double bottom, FILE *out)
{
    for (size_t period = 0; period < record->periods; period++) {
        double workers = fay_eq_record_sample(record, period, stage)->workers;
        (void)fprintf(out, "%s%.1f,%.1f", period > 0 ? " " : "", LEFT + (double)period * scale[0],
                      bottom - workers * scale[1]);
    }
}

static void print_panel(const fay_eq_results *results, size_t stage, FILE *out)
{
    uint32_t most = most_workers(results, stage);
    size_t periods = most_periods(results);
    double top = TOP + (double)stage * PANEL + CAPTION, bottom = TOP + (double)(stage + 1) * PANEL;
    const double scale[2] = {(double)(WIDTH - LEFT - RIGHT) / (double)periods,
                             (bottom - top) / (double)most};
    (void)fprintf(out, "<text x=\"%d\" y=\"%.1f\">stage %zu: workers</text>\n", LEFT, top - 8,
                  stage);
    (void)fprintf(out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%u</text>\n", LEFT - 6,
                  top + 8, most);
    (void)fprintf(out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">0</text>\n", LEFT - 6,
                  bottom);
    (void)fprintf(out, "<path d=\"M%d %.1fV%.1fH%d\" stroke=\"#999\" fill=\"none\"/>\n", LEFT, top,
                  bottom, WIDTH - RIGHT);
    for (size_t i = 0; i < results->controllers_count; i++) {
        (void)fprintf(out, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"%s\" points=\"",
                      colour(i), i == 0 ? "2" : "1.2");
        print_line(&results->records[i], stage, scale, bottom, out);
        (void)fputs("\"/>\n", out);
    }
}

void fay_eq_plot_print(const fay_eq_results *results, FILE *out)
{
    size_t stages = results->traces[0].stages_count, periods = most_periods(results);
    size_t height = TOP + stages * PANEL + CAPTION;
    (void)fprintf(out,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %zu\" "
                  "font-family=\"sans-serif\" font-size=\"12\">\n"
                  "<rect width=\"%d\" height=\"%zu\" fill=\"#fff\"/>\n"
                  "<text x=\"%d\" y=\"22\" font-size=\"15\">%s, seed %" PRIu64 "</text>\n",
                  WIDTH, height, WIDTH, height, LEFT, results->traces[0].name, results->first_seed);
    for (size_t i = 0; i < results->controllers_count; i++) {
        (void)fprintf(out, "<text x=\"%zu\" y=\"44\" fill=\"%s\">%s</text>\n", LEFT + i * 90,
                      colour(i), results->controllers[i]->name);
    }
    for (size_t stage = 0; stage < stages; stage++) {
        print_panel(results, stage, out);
    }
    (void)fprintf(
        out, "<text x=\"%d\" y=\"%zu\" text-anchor=\"end\">%zu control periods</text>\n</svg>\n",
        WIDTH - RIGHT, height - 10, periods);
}
