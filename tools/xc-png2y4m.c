/* SPDX-License-Identifier: BSD-2-Clause */
/* xc-png2y4m: PNG files become a Y4M film. png2y4m is the name that it has in daala_tools, where mu takes it from. */
#include "png2y4m_names.h"
#include "png2y4m_planes.h"
#include "tool.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char frame_line[] = "FRAME\n";
enum { FRAME_LINE = sizeof frame_line - 1, HEADER_SIZE = 256 };

struct film {
    const char *output_name;
    bool append, delete;
    int64_t aspect[2], rate[2]; /* numerator, denominator */
    struct png2y4m_conversion conversion;
    struct png2y4m_names names;
    struct png2y4m_picture picture;
    struct png2y4m_planes planes;
    uint32_t width, height; /* of the first picture, and so of all */
    struct xc_tool_output output;
};

static void write_bytes(struct film *film, const void *data, size_t size)
{
    errno = EIO;
    if (fwrite(data, 1, size, film->output.stream) != size) {
        xc_tool_fail(film->output_name, "%s", strerror(errno));
    }
}

/* Returns the length. The original's line, to the letter. */
static size_t make_header(char header[HEADER_SIZE], const struct film *film)
{
    static const char *const tags[] = { "C420jpeg", "C422jpeg", "C444" };
    return (size_t)snprintf(header, HEADER_SIZE, "YUV4MPEG2 W%lu H%lu F%lld:%lld Ip A%lld:%lld %s\n",
                            (unsigned long)film->width, (unsigned long)film->height, (long long)film->rate[0],
                            (long long)film->rate[1], (long long)film->aspect[0], (long long)film->aspect[1],
                            tags[film->conversion.chroma]);
}

/* Copies the film that is there, which has to be one of pictures like these. */
static void copy_existing(struct film *film, FILE *existing, const char *header, size_t header_size)
{
    char buffer[65536];
    size_t size = fread(buffer, 1, header_size, existing);
    if (size != header_size || memcmp(buffer, header, header_size) != 0) {
        xc_tool_fail(film->output_name, "cannot be gone on with: its first line is not '%.*s'", (int)header_size - 1,
                     header);
    }
    write_bytes(film, buffer, size);
    uint64_t total = 0;
    for (; (size = fread(buffer, 1, sizeof buffer, existing)) > 0; total += size) {
        write_bytes(film, buffer, size);
    }
    if (ferror(existing)) {
        xc_tool_fail(film->output_name, "%s", strerror(errno));
    }
    if (total % (FRAME_LINE + film->planes.size)) {
        xc_tool_fail(film->output_name, "cannot be gone on with: it ends inside a frame");
    }
}

/* With -i, the film that is there; NULL: there is none, or nothing is in it. */
static FILE *open_existing(const struct film *film)
{
    struct stat status;
    if (!film->append || !film->output.file.temporary) { /* what is written to a pipe goes on by itself */
        return NULL;
    }
    FILE *existing = fopen(film->output_name, "rb");
    if (existing ? fstat(fileno(existing), &status) : errno != ENOENT) {
        xc_tool_fail(film->output_name, "%s", strerror(errno));
    }
    if (existing && !status.st_size) {
        fclose(existing);
        existing = NULL;
    }
    return existing;
}

/* A film that goes on is copied first, so that it is whole whatever happens. */
static void begin_film(struct film *film)
{
    char header[HEADER_SIZE];
    const size_t size = make_header(header, film);
    xc_tool_output_open(&film->output, film->output_name);
    FILE *existing = open_existing(film);
    if (existing) {
        copy_existing(film, existing, header, size);
        fclose(existing);
    } else {
        write_bytes(film, header, size);
    }
}

static void write_frame(struct film *film, const char *name)
{
    png2y4m_picture_read(&film->picture, name);
    if (film->output.stream && (film->picture.width != film->width || film->picture.height != film->height)) {
        xc_tool_fail(name, "has %lux%lu pixels, and the pictures before it have %lux%lu",
                     (unsigned long)film->picture.width, (unsigned long)film->picture.height,
                     (unsigned long)film->width, (unsigned long)film->height);
    }
    png2y4m_planes_convert(&film->planes, &film->picture, &film->conversion);
    if (!film->output.stream) {
        film->width = film->picture.width;
        film->height = film->picture.height;
        begin_film(film);
    }
    write_bytes(film, frame_line, FRAME_LINE);
    write_bytes(film, film->planes.samples, film->planes.size);
}

static void delete_pictures(const struct png2y4m_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->paths[i], "-") != 0 && unlink(names->paths[i])) {
            xc_tool_fail(names->paths[i], "cannot be deleted: %s", strerror(errno));
        }
    }
}

static void make_film(struct film *film, char **operands)
{
    for (; *operands; operands++) {
        png2y4m_names_add(&film->names, *operands);
    }
    for (size_t i = 0; i < film->names.count; i++) {
        write_frame(film, film->names.paths[i]);
    }
    xc_tool_output_commit(&film->output, 1);
    if (film->delete) {
        delete_pictures(&film->names);
    }
    png2y4m_names_clear(&film->names);
    png2y4m_picture_clear(&film->picture);
    png2y4m_planes_clear(&film->planes);
}

int main(int argc, char **argv)
{
    struct film film = { .aspect = { 0, 0 }, .rate = { 24, 1 } };
    bool half_columns = false, all_columns = false;
    const struct xc_tool_option options[] = {
        { 'o', "output", "OUT.y4m", "the film; - is standard output", .text = &film.output_name },
        { 0, "chroma-444", NULL, "as many samples of chroma as pixels; VP8 takes only 4:2:0, the default",
          .flag = &all_columns },
        { 0, "chroma-422", NULL, "half as many, in each row", .flag = &half_columns },
        { 0, "rec709", NULL, "the colours of BT.709, as the original has them; default: of BT.601, which VP8 means",
          .flag = &film.conversion.rec709 },
        { 's', "aspect-numerator", "N", "a pixel's width, for the header", .integer = &film.aspect[0],
          .maximum = INT32_MAX },
        { 'S', "aspect-denominator", "N", "a pixel's height, for the header", .integer = &film.aspect[1],
          .maximum = INT32_MAX },
        { 'f', "framerate-numerator", "N", "frames per second, times the denominator", .integer = &film.rate[0],
          .minimum = 1, .maximum = INT32_MAX },
        { 'F', "framerate-denominator", "N", "the denominator", .integer = &film.rate[1], .minimum = 1,
          .maximum = INT32_MAX },
        { 0, "no-dither", NULL, "do not dither pictures of 16 bits", .flag = &film.conversion.no_dither },
        { 'd', "delete", NULL, "delete the pictures when the film is written", .flag = &film.delete },
        { 'i', "append", NULL, "go on with OUT.y4m, if it is there", .flag = &film.append },
        { 0 },
    };
    const struct xc_tool tool = {
        .name = "xc-png2y4m",
        .synopsis = "-o OUT.y4m [OPTION]... IN.png...",
        .description = "Makes a film of PNG files. IN.png is a file, - for standard input, or a pattern such as "
                       "%08d.png, which stands for all files with such numbers. Pictures that are not opaque are laid "
                       "on their background, or on black.",
        .examples = "xc-png2y4m -o 00000000.y4m 00000001.png 00000002.png 00000003.png\n"
                    "xc-png2y4m -f 30000 -F 1001 -o pictures.y4m %08d.png",
        .options = options,
        .minimum_operands = 1,
        .maximum_operands = INT32_MAX,
    };
    char **operands = xc_tool_start(&tool, argc, argv);
    if (!film.output_name) {
        xc_tool_usage_error("-o is needed");
    }
    if (half_columns && all_columns) {
        xc_tool_usage_error("only one of --chroma-444 and --chroma-422 can be chosen");
    }
    film.conversion.chroma = all_columns ? PNG2Y4M_444 : half_columns ? PNG2Y4M_422 : PNG2Y4M_420;
    make_film(&film, operands);
    return 0;
}
