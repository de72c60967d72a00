/* SPDX-License-Identifier: BSD-2-Clause */
/* xc-diff, and comp-states by another name: what differs between two states, and how much. */
#include "json.h"
#include "tool.h"

#include "excamera/difference.h"

struct states {
    const char *names[2];
    struct xc_state state[2];
};

static const char *const reference_names[XC_REFERENCES] = { "Last", "Golden", "Alternative" };

static bool probabilities_differ(const struct xc_state_difference *d)
{
    return d->coefficient || d->mv || d->y_mode || d->uv_mode;
}

static bool segmentations_differ(const struct xc_state_difference *d)
{
    return d->segment_data || d->segment_map;
}

static bool references_differ(const struct xc_state_difference *d)
{
    bool differ = false;
    for (int i = 0; i < XC_REFERENCES; i++) {
        differ |= d->reference[i].different != 0;
    }
    return differ;
}

/* A line of the original's report, and how many of the values differ where that is asked for. */
static void print_line(FILE *out, int level, const char *text, bool amounts, uint64_t different, uint64_t of)
{
    fprintf(out, "%*s%s", 2 * level, "", text);
    if (amounts && of) {
        fprintf(out, " (%llu of %llu)", (unsigned long long)different, (unsigned long long)of);
    }
    putc('\n', out);
}

static void print_probabilities(FILE *out, const struct xc_state_difference *d, bool amounts)
{
    const struct {
        const char *text;
        unsigned different, of;
    } tables[] = {
        { "Coefficient probabilities are different.", d->coefficient, 1056 },
        { "Y-mode probabilities are different.", d->y_mode, 4 },
        { "UV-mode probabilities are different.", d->uv_mode, 3 },
        { "Motion vector probabilities are different.", d->mv, 38 },
    };
    print_line(out, 2, "Probability tables are different.", false, 0, 0);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        if (tables[i].different) {
            print_line(out, 3, tables[i].text, amounts, tables[i].different, tables[i].of);
        }
    }
}

static void print_references(FILE *out, const struct xc_state_difference *d, bool amounts)
{
    print_line(out, 1, "References are different.", false, 0, 0);
    for (int i = 0; i < XC_REFERENCES; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s references are different.", reference_names[i]);
        if (d->reference[i].different) {
            print_line(out, 2, text, amounts, d->reference[i].different, d->reference[i].samples);
        }
    }
}

/* The original's lines, letter by letter ("diffrent"), since scripts may look for them. */
static void print_report(FILE *out, const struct states *states, const struct xc_state_difference *d, bool amounts)
{
    if (!d->any) {
        return;
    }
    print_line(out, 0, "Decoders are different.", false, 0, 0);
    if (d->size) {
        print_line(out, 1, "Dimensions are different.", false, 0, 0);
    }
    if (d->presentation) {
        print_line(out, 1, "Scales, color spaces or clamping types are different.", false, 0, 0);
    }
    if (probabilities_differ(d) || segmentations_differ(d) || d->filter_deltas || d->size) {
        print_line(out, 1, "Decoder states are diffrent.", false, 0, 0);
    }
    if (probabilities_differ(d)) {
        print_probabilities(out, d, amounts);
    }
    if (segmentations_differ(d)) {
        const struct xc_picture *picture = states->state[0].reference[0];
        const uint64_t macroblocks = (uint64_t)picture->mb_cols * picture->mb_rows;
        print_line(out, 2, "Segmentations are different.", amounts && d->segment_map, d->segment_map, macroblocks);
    }
    if (d->filter_deltas) {
        print_line(out, 2, "Filter adjustments are different.", amounts, d->filter_deltas, 8);
    }
    if (references_differ(d)) {
        print_references(out, d, amounts);
    }
}

static double mean_difference(const struct xc_picture_difference *d)
{
    return d->different ? (double)d->sum / (double)d->different : 0;
}

static void print_json_references(struct xc_json *json, const struct xc_state_difference *d)
{
    static const char *const keys[XC_REFERENCES] = { "last", "golden", "altref" };
    xc_json_object(json, "references");
    for (int i = 0; i < XC_REFERENCES; i++) {
        xc_json_object(json, keys[i]);
        xc_json_integer(json, "samples", (int64_t)d->reference[i].samples);
        xc_json_integer(json, "different", (int64_t)d->reference[i].different);
        xc_json_real(json, "mean_difference", mean_difference(&d->reference[i]));
        xc_json_end(json);
    }
    xc_json_end(json);
}

static void print_json(FILE *out, const struct states *states, const struct xc_state_difference *d)
{
    struct xc_json json = { .stream = out };
    xc_json_object(&json, NULL);
    xc_json_array(&json, "states");
    for (int i = 0; i < 2; i++) {
        char id[9];
        snprintf(id, sizeof id, "%08x", (unsigned)xc_state_id(&states->state[i]));
        xc_json_object(&json, NULL);
        xc_json_text(&json, "file", states->names[i]);
        xc_json_text(&json, "id", id);
        xc_json_end(&json);
    }
    xc_json_end(&json);
    xc_json_flag(&json, "different", d->any);
    xc_json_flag(&json, "size", d->size);
    xc_json_flag(&json, "presentation", d->presentation);
    xc_json_integer(&json, "coefficient_probabilities", d->coefficient);
    xc_json_integer(&json, "y_mode_probabilities", d->y_mode);
    xc_json_integer(&json, "uv_mode_probabilities", d->uv_mode);
    xc_json_integer(&json, "mv_probabilities", d->mv);
    xc_json_integer(&json, "segment_data", d->segment_data);
    xc_json_integer(&json, "segment_map", (int64_t)d->segment_map);
    xc_json_integer(&json, "filter_deltas", d->filter_deltas);
    print_json_references(&json, d);
    xc_json_integer(&json, "bits", (int64_t)d->bits);
    xc_json_end(&json);
}

/* As comp-states: one line of numbers. */
static void print_numbers(FILE *out, const struct states *states, const struct xc_state_difference *d)
{
    if (d->size) {
        xc_tool_fail(states->names[1], "is of another size than %s", states->names[0]);
    }
    const struct xc_picture_difference *last = &d->reference[XC_LAST];
    if (!d->any) {
        fputs("0\n", out);
    } else {
        fprintf(out, "%llu %g %g\n", (unsigned long long)d->bits, (double)last->different / (double)last->samples,
                mean_difference(last));
    }
}

int main(int argc, char **argv)
{
    bool json = false, amounts = false;
    const struct xc_tool_option options[] = {
        { 'a', "amounts", NULL, "print how many values differ, too", .flag = &amounts },
        XC_TOOL_JSON_OPTION(json),
        { 0 },
    };
    const bool numbers = xc_tool_called(argv[0], "comp-states");
    const struct xc_tool tool = {
        .name = numbers ? "comp-states" : "xc-diff",
        .synopsis = "[OPTION]... A.state B.state",
        .description = numbers ? "Prints in how many bits two states differ and, if they do, which part of the "
                                 "samples of the last picture, and by how much these differ on average. Exits with 0 "
                                 "if the states are equal, with 1 if they are not."
                               : "Prints what differs between two states. Exits with 0, and prints nothing, if they "
                                 "are equal; with 1 if they are not.",
        .examples = "xc-diff -a 00000001-0.state 00000001-1.state",
        .options = numbers ? options + 1 : options,
        .minimum_operands = 2,
        .maximum_operands = 2,
    };
    char **operands = xc_tool_start(&tool, argc, argv);

    struct states states = { .names = { operands[0], operands[1] } };
    struct xc_state_difference difference;
    struct xc_tool_output output;
    xc_tool_state_read(&states.state[0], NULL, operands[0]);
    xc_tool_state_read(&states.state[1], NULL, operands[1]);
    xc_state_compare(&difference, &states.state[0], &states.state[1]);
    xc_tool_output_open(&output, "-");
    if (json) {
        print_json(output.stream, &states, &difference);
    } else if (numbers) {
        print_numbers(output.stream, &states, &difference);
    } else {
        print_report(output.stream, &states, &difference, amounts);
    }
    xc_tool_output_commit(&output, 1);
    xc_state_clear(&states.state[0]);
    xc_state_clear(&states.state[1]);
    return difference.any;
}
