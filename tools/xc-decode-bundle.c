/* SPDX-License-Identifier: BSD-2-Clause */
/* xc-decode-bundle: plays files that follow one another, whose names come on standard input. */
#include "json.h"
#include "y4m-film.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "excamera/state.h"

struct bundle {
    struct xc_workspace *workspace;
    struct xc_state state;
    const char *before;                 /* the name of the file that gives this state; NULL: there is none */
    struct xc_tool_output film, report; /* the report is open if it is wanted */
    uint16_t width, height;             /* of all pictures; 0 before the first */
    bool verbose;
    struct xc_json json;
};

static void show(struct bundle *b, const struct xc_tool_ivf *input, uint32_t frame, const struct xc_picture *picture)
{
    struct xc_error err;
    if (!b->width) {
        b->width = picture->width;
        b->height = picture->height;
        xc_tool_y4m_film_begin(&b->film, picture, &input->ivf.header);
    }
    if (picture->width != b->width || picture->height != b->height) {
        xc_tool_fail(input->name, "frame %u: the size changes to %ux%u, which Y4M cannot express", (unsigned)frame,
                     picture->width, picture->height);
    }
    xc_tool_check(xc_y4m_write_frame(b->film.stream, picture, &err), b->film.name, &err);
}

/* Tells where the bundle is. */
static void report_state(struct bundle *b, const char *name, const char *event)
{
    if (b->verbose) {
        fprintf(stderr, "%s %s state: %08x\n", name, event, (unsigned)xc_state_id(&b->state));
    }
    if (b->json.stream) {
        char id[9];
        snprintf(id, sizeof id, "%08x", (unsigned)xc_state_id(&b->state));
        xc_json_text(&b->json, event, id);
    }
}

static void play(struct bundle *b, const char *name)
{
    struct xc_tool_ivf input;
    xc_tool_ivf_read(&input, name);
    const uint32_t count = input.ivf.header.frame_count;
    xc_tool_ivf_check_state(&input, &b->state, b->before, NULL);
    if (b->json.stream) {
        xc_json_object(&b->json, NULL);
        xc_json_text(&b->json, "file", name);
        xc_json_integer(&b->json, "frames", count);
    }
    report_state(b, name, "entering");
    for (uint32_t i = 0; i < count; i++) {
        struct xc_picture *picture = xc_tool_ivf_decode(&input, i, &b->state, b->workspace);
        if (picture) {
            show(b, &input, i, picture);
        }
        xc_picture_unref(picture);
    }
    report_state(b, name, "exiting");
    if (b->json.stream) {
        xc_json_end(&b->json);
    }
    xc_ivf_clear(&input.ivf);
}

/* Each line of standard input is a name. */
static void play_all(struct bundle *b)
{
    char *names[2] = { NULL, NULL }; /* the one before this one is needed for messages */
    size_t capacities[2] = { 0, 0 };
    ssize_t length;
    int i = 0;
    while ((length = getline(&names[i], &capacities[i], stdin)) > 0) {
        char *name = names[i];
        if (name[length - 1] == '\n') {
            name[length - 1] = '\0';
        }
        if (!strcmp(name, "-")) {
            xc_tool_fail(name, "standard input has the names");
        }
        if (*name) {
            play(b, name);
            b->before = name;
            i = !i;
        }
    }
    if (ferror(stdin)) {
        xc_tool_fail("standard input", "%s", strerror(errno));
    }
    free(names[0]);
    free(names[1]);
}

int main(int argc, char **argv)
{
    struct bundle bundle = { 0 };
    bool json = false;
    int64_t threads = 1;
    const char *output_name = "-";
    const struct xc_tool_option options[] = {
        { 'o', "output", "FILE", "where the film goes; - is standard output", .text = &output_name },
        { 'v', "verbose", NULL, "say on standard error in which state each file begins and ends",
          .flag = &bundle.verbose },
        { 0, "json", NULL, "with -o FILE: print the same as JSON, when all is done", .flag = &json },
        XC_TOOL_THREADS_OPTION(threads),
        { 0 },
    };
    const struct xc_tool tool = {
        .name = "xc-decode-bundle",
        .synopsis = "[OPTION]... [STATE] <NAMES",
        .description = "Reads names of IVF files from standard input, one a line, decodes the files one after the "
                       "other, each from the state that the one before leaves, and writes one Y4M film. STATE: the "
                       "state's file that the first one needs, unless it begins with a key frame.",
        .examples = "ls ????????.ivf | xc-decode-bundle -o film.y4m",
        .options = options,
        .minimum_operands = 0,
        .maximum_operands = 1,
    };
    char **operands = xc_tool_start(&tool, argc, argv);
    if (json && !strcmp(output_name, "-")) {
        xc_tool_usage_error("--json needs -o FILE: standard output has the film");
    }

    bundle.workspace = xc_tool_workspace(threads);
    bundle.before = operands[0];
    xc_tool_state_read(&bundle.state, xc_workspace_pool(bundle.workspace), bundle.before);
    xc_tool_output_open(&bundle.film, output_name);
    if (json) {
        xc_tool_output_open(&bundle.report, "-");
        bundle.json.stream = bundle.report.stream;
        xc_json_array(&bundle.json, NULL);
    }
    play_all(&bundle);
    if (!bundle.width) {
        xc_tool_fail("standard input", "names no file that shows a picture, and Y4M needs one");
    }
    if (json) {
        xc_json_end(&bundle.json);
    }
    struct xc_tool_output outputs[2] = { bundle.film, bundle.report };
    xc_tool_output_commit(outputs, json ? 2 : 1);
    xc_state_clear(&bundle.state);
    xc_workspace_free(bundle.workspace);
    return 0;
}
