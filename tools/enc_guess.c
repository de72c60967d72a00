/* SPDX-License-Identifier: BSD-2-Clause */
#include "enc_guess.h"

#include "y4m-film.h"

/* The first picture of a film, or the last one. All of it is read, so that a film that was cut is noticed. */
static struct xc_picture *read_picture(const char *name, bool last, const char *format,
                                       const struct xc_picture_source *like, struct xc_workspace *workspace)
{
    struct xc_tool_source source;
    struct xc_picture *picture = NULL, *next;
    struct xc_error err;
    xc_tool_source_open(&source, name, format, workspace);
    if (source.pictures.width != like->width || source.pictures.height != like->height) {
        xc_tool_fail(name, "is of %ux%u, but %s is of %ux%u", source.pictures.width, source.pictures.height, like->name,
                     like->width, like->height);
    }
    do {
        xc_tool_check(source.pictures.next(source.pictures.context, &next, &err), name, &err);
        if (next && (last || !picture)) {
            xc_picture_unref(picture);
            picture = xc_picture_ref(next);
        }
        xc_picture_unref(next);
    } while (next);
    if (!picture) {
        xc_tool_fail(name, "has no frame");
    }
    xc_tool_source_close(&source);
    return picture;
}

static enum xc_status put_target(void *context, const struct xc_picture *picture, struct xc_error *err)
{
    struct guess_files *files = context;
    if (!files->begun) {
        files->begun = true;
        xc_tool_y4m_film_begin(&files->targets, picture, &files->rate);
    }
    return xc_y4m_write_frame(files->targets.stream, picture, err);
}

void guess_files_open(struct guess_files *files, const char *before, const char *key, const char *targets,
                      const char *format, const struct xc_picture_source *source, struct xc_workspace *workspace)
{
    *files = (struct guess_files){
        .guess = { .before = read_picture(before, true, format, source, workspace),
                   .key = read_picture(key, false, format, source, workspace),
                   .targets = { .put = put_target, .context = files } },
        .rate = { .rate_num = source->rate_num, .rate_den = source->rate_den },
    };
    xc_tool_output_open(&files->targets, targets);
}

void guess_files_clear(struct guess_files *files)
{
    xc_picture_unref(files->guess.before);
    xc_picture_unref(files->guess.key);
}
