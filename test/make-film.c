/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes a short film that is worth encoding, the same bytes on any machine: textures, a camera that pans, rolls and
 * zooms by fractions of a sample, objects that move over the background and turn, light that changes, sensor noise,
 * and one cut. All arithmetic is on integers. Positions are in 1/256 sample, angles in 1/65536 turn, factors in
 * 1/16384. */
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "excamera/y4m.h"

enum { TEXTURE = 1024 }; /* width and height of a texture, which repeats; a power of 2 */
enum { OBJECTS = 6 };
enum { ONE = 16384, POSITION = 256 };

struct options {
    unsigned width, height, frames, cut, rate_num, rate_den;
    uint64_t seed;
};

struct texture {
    uint8_t plane[3][TEXTURE][TEXTURE];
};

/* How a scene looks at time 0 and how it changes per frame. */
struct motion {
    int32_t x, y, dx, dy; /* where the middle is */
    int32_t turn, d_turn; /* angle */
    int32_t zoom, d_zoom; /* factor */
};

struct object {
    struct motion motion; /* on the screen */
    int32_t radius;
    bool square;
    int32_t texture_x, texture_y; /* the part of the scene's texture that it wears */
};

struct scene {
    struct texture texture;
    struct motion camera;
    struct object objects[OBJECTS];
    uint32_t light_phase;
};

/* A map from the screen to a texture, for one frame. */
struct view {
    int32_t screen_x, screen_y, texture_x, texture_y; /* these two points meet */
    int32_t cosine, sine;                             /* of the angle, times the zoom */
};

/* The finalizer of splitmix64: turns a counter into numbers that look random. */
static uint64_t scramble(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* The next number from low to high. */
static int32_t pick(uint64_t *random, int32_t low, int32_t high)
{
    *random = scramble(*random);
    return low + (int32_t)((*random >> 16) % (uint32_t)(high - low + 1));
}

/* Either sign, at least low in size: something that moves, moves visibly. */
static int32_t pick_signed(uint64_t *random, int32_t low, int32_t high)
{
    int32_t value = pick(random, low, high);
    return pick(random, 0, 1) ? value : -value;
}

/* Two parabolas a turn, near enough to a sine. */
static int32_t sine(uint32_t turn)
{
    int32_t x = turn & 0x7fff, y = x * (0x8000 - x) >> 14;
    return turn & 0x8000 ? -y : y;
}

static int32_t clamp(int32_t value, int32_t low, int32_t high)
{
    return value < low ? low : value > high ? high : value;
}

static int32_t mix(int32_t a, int32_t b, int32_t share, int32_t whole)
{
    return a + (b - a) * share / whole;
}

/* Random values on a grid of 2^log2_cell samples, smoothly joined: 0 to 255. */
static int32_t value_noise(uint64_t seed, unsigned x, unsigned y, unsigned log2_cell)
{
    unsigned cell = 1u << log2_cell, cells = TEXTURE >> log2_cell, corner[2][2];
    for (unsigned row = 0; row < 2; row++) {
        for (unsigned column = 0; column < 2; column++) {
            uint64_t cx = ((x >> log2_cell) + column) % cells, cy = ((y >> log2_cell) + row) % cells;
            corner[row][column] = scramble(seed ^ cx << 40 ^ cy << 20 ^ log2_cell) & 255;
        }
    }
    unsigned fx = x & (cell - 1), fy = y & (cell - 1);
    fx = fx * fx * (3 * cell - 2 * fx) >> (2 * log2_cell); /* 3x^2 - 2x^3 */
    fy = fy * fy * (3 * cell - 2 * fy) >> (2 * log2_cell);
    return mix(mix((int32_t)corner[0][0], (int32_t)corner[0][1], (int32_t)fx, (int32_t)cell),
               mix((int32_t)corner[1][0], (int32_t)corner[1][1], (int32_t)fx, (int32_t)cell), (int32_t)fy,
               (int32_t)cell);
}

/* Detail of every size, the finer the weaker, as in nature: about -128 to 127. */
static int32_t fractal_noise(uint64_t seed, unsigned x, unsigned y, unsigned coarsest, unsigned finest)
{
    int32_t sum = 0, weights = 0, weight = 64;
    for (unsigned log2_cell = coarsest; log2_cell >= finest; log2_cell--, weight = weight * 5 / 8) {
        sum += weight * value_noise(seed, x, y, log2_cell);
        weights += weight;
    }
    return sum / weights - 128;
}

/* Two materials with a sharp border between them: one smooth, as the sky, one rough and crossed by lines, as a wall. */
static void make_texture(struct texture *texture, uint64_t seed)
{
    uint64_t random = scramble(seed);
    int32_t smooth[3], rough[3];
    smooth[0] = pick(&random, 130, 190);
    rough[0] = pick(&random, 60, 110);
    for (int plane = 1; plane < 3; plane++) {
        smooth[plane] = pick(&random, 112, 144);
        rough[plane] = 256 - smooth[plane] + pick(&random, -12, 12);
    }
    unsigned line = (unsigned)pick(&random, 4, 5);
    for (unsigned y = 0; y < TEXTURE; y++) {
        for (unsigned x = 0; x < TEXTURE; x++) {
            int32_t where = clamp(fractal_noise(seed, x, y, 7, 4) * 4 + 24, 0, 48); /* 0: smooth, 48: rough */
            int32_t calm = smooth[0] + fractal_noise(seed + 1, x, y, 8, 3) / 3;
            int32_t wall = rough[0] + fractal_noise(seed + 2, x, y, 5, 1);
            bool on_line = !((x >> 1) & ((1u << line) - 1)) || !(((y + x / 8) >> 1) & ((1u << (line - 1)) - 1));
            wall = on_line ? wall + 40 : wall;
            texture->plane[0][y][x] = (uint8_t)clamp(mix(calm, wall, where, 48), 16, 235);
            for (int plane = 1; plane < 3; plane++) {
                int32_t tint = fractal_noise(seed + 2 + (uint64_t)plane, x, y, 7, 3) / 4;
                int32_t colour = mix(smooth[plane], rough[plane], where, 48) + tint;
                texture->plane[plane][y][x] = (uint8_t)clamp(colour, 16, 240);
            }
        }
    }
}

static void make_scene(struct scene *scene, const struct options *options, uint64_t seed)
{
    uint64_t random = scramble(seed);
    make_texture(&scene->texture, scramble(seed + 1));
    scene->camera = (struct motion){
        .x = pick(&random, 0, TEXTURE * POSITION),
        .y = pick(&random, 0, TEXTURE * POSITION),
        .dx = pick_signed(&random, 120, 450),
        .dy = pick_signed(&random, 30, 150),
        .turn = pick(&random, 0, 65535),
        .d_turn = pick_signed(&random, 2, 12),
        .zoom = pick(&random, ONE * 3 / 4, ONE),
        .d_zoom = pick_signed(&random, 8, 24),
    };
    scene->light_phase = (uint32_t)pick(&random, 0, 65535);
    int32_t width = (int32_t)options->width * POSITION, height = (int32_t)options->height * POSITION;
    int32_t smaller = width < height ? width : height;
    for (int i = 0; i < OBJECTS; i++) {
        scene->objects[i] = (struct object){
            .motion = {
                .x = pick(&random, 0, width), .y = pick(&random, 0, height),
                .dx = pick_signed(&random, 60, 900), .dy = pick_signed(&random, 30, 400),
                .turn = pick(&random, 0, 65535), .d_turn = pick_signed(&random, 0, 400),
                .zoom = pick(&random, ONE * 3 / 4, ONE), .d_zoom = pick(&random, -20, 20),
            },
            .radius = pick(&random, smaller / 16, smaller / 5),
            .square = i % 2,
            .texture_x = pick(&random, 0, TEXTURE * POSITION), .texture_y = pick(&random, 0, TEXTURE * POSITION),
        };
    }
}

static void set_turn_and_zoom(struct view *view, const struct motion *motion, int32_t time)
{
    uint32_t turn = (uint32_t)(motion->turn + time * motion->d_turn);
    int32_t zoom = clamp(motion->zoom + time * motion->d_zoom, ONE / 2, ONE * 2);
    view->cosine = (int32_t)((int64_t)sine(turn + 16384) * zoom / ONE);
    view->sine = (int32_t)((int64_t)sine(turn) * zoom / ONE);
}

static struct view camera_view(const struct scene *scene, const struct options *options, int32_t time)
{
    const struct motion *camera = &scene->camera;
    struct view view = {
        .screen_x = (int32_t)options->width * POSITION / 2,
        .screen_y = (int32_t)options->height * POSITION / 2,
        .texture_x = camera->x + time * camera->dx,
        .texture_y = camera->y + time * camera->dy,
    };
    set_turn_and_zoom(&view, camera, time);
    return view;
}

/* x folded into 0 to end, as if the object bounced off the edges of the screen. */
static int32_t bounce(int64_t x, int32_t end)
{
    int32_t folded = (int32_t)((x % (2 * (int64_t)end) + 2 * (int64_t)end) % (2 * (int64_t)end));
    return folded > end ? 2 * end - folded : folded;
}

static struct view object_view(const struct object *object, const struct options *options, int32_t time)
{
    const struct motion *motion = &object->motion;
    struct view view = {
        .screen_x = bounce(motion->x + (int64_t)time * motion->dx, (int32_t)options->width * POSITION),
        .screen_y = bounce(motion->y + (int64_t)time * motion->dy, (int32_t)options->height * POSITION),
        .texture_x = object->texture_x,
        .texture_y = object->texture_y,
    };
    set_turn_and_zoom(&view, motion, time);
    return view;
}

/* A point on the screen as an offset, in the texture, from the point where view pins the two together. */
static void look_up(const struct view *view, int32_t x, int32_t y, int32_t *u, int32_t *v)
{
    int64_t dx = x - view->screen_x, dy = y - view->screen_y;
    *u = (int32_t)((dx * view->cosine - dy * view->sine) / ONE);
    *v = (int32_t)((dx * view->sine + dy * view->cosine) / ONE);
}

/* Between the four samples around a place in the texture. */
static int32_t sample(const uint8_t plane[TEXTURE][TEXTURE], int32_t u, int32_t v)
{
    uint32_t fx = (uint32_t)u % POSITION, fy = (uint32_t)v % POSITION;
    uint32_t x0 = (uint32_t)u / POSITION % TEXTURE, y0 = (uint32_t)v / POSITION % TEXTURE;
    uint32_t x1 = (x0 + 1) % TEXTURE, y1 = (y0 + 1) % TEXTURE;
    uint32_t top = plane[y0][x0] * (POSITION - fx) + plane[y0][x1] * fx;
    uint32_t bottom = plane[y1][x0] * (POSITION - fx) + plane[y1][x1] * fx;
    return (int32_t)((top * (POSITION - fy) + bottom * fy + POSITION * POSITION / 2) / (POSITION * POSITION));
}

/* How much of the sample at this offset from its middle an object covers: 0 to 256, softened over about two samples. */
static int32_t coverage(const struct object *object, int32_t u, int32_t v)
{
    int64_t inside; /* distance from the edge, roughly, in 1/256 sample */
    if (object->square) {
        inside = object->radius - (abs(u) > abs(v) ? abs(u) : abs(v));
    } else {
        int64_t r = object->radius;
        inside = (r * r - (int64_t)u * u - (int64_t)v * v) / (2 * r);
    }
    return clamp((int32_t)(inside / 2) + 128, 0, 256);
}

static int32_t sensor_noise(uint64_t *random, int plane)
{
    *random = scramble(*random);
    uint64_t bits = *random;
    /* Four dice of 256 sides: near enough to a bell curve. */
    int32_t sum = (int32_t)((bits & 255) + (bits >> 8 & 255) + (bits >> 16 & 255) + (bits >> 24 & 255)) - 510;
    return sum / (plane == XC_PLANE_Y ? 80 : 160); /* standard deviation: 1.8 and 0.9 */
}

/* The colour of one point of the screen, in one plane. */
static int32_t look(const struct scene *scene, const struct view *views, int plane, int32_t x, int32_t y)
{
    int32_t u, v;
    look_up(&views[OBJECTS], x, y, &u, &v);
    int32_t value = sample(scene->texture.plane[plane], views[OBJECTS].texture_x + u, views[OBJECTS].texture_y + v);
    for (int i = 0; i < OBJECTS; i++) {
        look_up(&views[i], x, y, &u, &v);
        int32_t covered = coverage(&scene->objects[i], u, v);
        if (covered > 0) {
            int32_t own = sample(scene->texture.plane[plane], views[i].texture_x + u, views[i].texture_y + v);
            own += plane == XC_PLANE_Y ? (i % 3 - 1) * 40 : 0; /* some stand out against the background */
            value = mix(value, own, covered, 256);
        }
    }
    return value;
}

static void draw(struct xc_picture *picture, const struct scene *scene, const struct options *options, unsigned frame)
{
    struct view views[OBJECTS + 1]; /* the camera's after the objects' */
    for (int i = 0; i < OBJECTS; i++) {
        views[i] = object_view(&scene->objects[i], options, (int32_t)frame);
    }
    views[OBJECTS] = camera_view(scene, options, (int32_t)frame);
    int32_t light = ONE + sine(scene->light_phase + frame * 400) / 8;
    uint64_t random = scramble(options->seed << 32 ^ frame);

    for (int plane = XC_PLANE_Y; plane <= XC_PLANE_V; plane++) {
        unsigned step = plane == XC_PLANE_Y ? 1 : 2;
        for (unsigned y = 0; y < xc_plane_height(picture, plane); y++) {
            uint8_t *row = picture->plane[plane].data + (ptrdiff_t)y * picture->plane[plane].stride;
            for (unsigned x = 0; x < xc_plane_width(picture, plane); x++) {
                int32_t value =
                    look(scene, views, plane, (int32_t)(x * step * POSITION), (int32_t)(y * step * POSITION));
                value = plane == XC_PLANE_Y ? value * light / ONE : value;
                row[x] = (uint8_t)clamp(value + sensor_noise(&random, plane), 16, 240);
            }
        }
    }
}

static enum xc_status make_film(FILE *out, const struct options *options, struct xc_error *err)
{
    struct xc_y4m_header header = { .width = (uint16_t)options->width,
                                    .height = (uint16_t)options->height,
                                    .rate_num = options->rate_num,
                                    .rate_den = options->rate_den };
    snprintf(header.line, sizeof(header.line), "YUV4MPEG2 W%u H%u F%u:%u Ip A1:1 C420jpeg", options->width,
             options->height, options->rate_num, options->rate_den);
    struct xc_picture *picture = NULL;
    struct scene *scene = malloc(sizeof(*scene));
    enum xc_status status = scene ? xc_picture_new(&picture, NULL, options->width, options->height, err)
                                  : xc_fail(err, XC_ERR_MEMORY, "out of memory");
    if (status == XC_OK) {
        status = xc_y4m_write_header(out, &header, err);
    }
    for (unsigned frame = 0; status == XC_OK && frame < options->frames; frame++) {
        if (frame == 0 || frame == options->cut) {
            make_scene(scene, options, options->seed + frame);
        }
        draw(picture, scene, options, frame);
        status = xc_y4m_write_frame(out, picture, err);
    }
    xc_picture_unref(picture);
    free(scene);
    return status;
}

static const char usage[] =
    "usage: make-film [--width 432] [--height 240] [--frames 96] [--cut 40] [--seed 1] [--rate 24:1] OUT.y4m|-\n"
    "The scene changes at frame --cut; 0: never.\n";

static unsigned number(const char *text, unsigned low, unsigned high)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (end == text || *end || value < low || value > high) {
        fprintf(stderr, "make-film: %s is not a number from %u to %u\n", text, low, high);
        exit(2);
    }
    return (unsigned)value;
}

static struct options parse_options(int argc, char **argv)
{
    static const struct option known[] = {
        { "width", required_argument, NULL, 'w' },
        { "height", required_argument, NULL, 'h' },
        { "frames", required_argument, NULL, 'n' },
        { "cut", required_argument, NULL, 'c' },
        { "seed", required_argument, NULL, 's' },
        { "rate", required_argument, NULL, 'r' },
        { NULL, 0, NULL, 0 },
    };
    struct options options = {
        .width = 432,
        .height = 240,
        .frames = 96,
        .cut = 40,
        .rate_num = 24,
        .rate_den = 1,
        .seed = 1,
    };
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        char *colon;
        switch (option) {
        case 'w':
            options.width = number(optarg, 1, XC_MAX_DIMENSION);
            break;
        case 'h':
            options.height = number(optarg, 1, XC_MAX_DIMENSION);
            break;
        case 'n':
            options.frames = number(optarg, 1, 100000);
            break;
        case 'c':
            options.cut = number(optarg, 0, 100000);
            break;
        case 's':
            options.seed = number(optarg, 0, UINT32_MAX);
            break;
        case 'r':
            colon = strchr(optarg, ':');
            if (colon) {
                *colon = '\0';
            }
            options.rate_num = number(optarg, 1, 1000000);
            options.rate_den = colon ? number(colon + 1, 1, 1000000) : 1;
            break;
        default:
            fputs(usage, stderr);
            exit(2);
        }
    }
    return options;
}

int main(int argc, char **argv)
{
    struct options options = parse_options(argc, argv);
    if (argc - optind != 1) {
        fputs(usage, stderr);
        return 2;
    }
    const char *name = argv[optind];
    FILE *out = strcmp(name, "-") ? fopen(name, "wb") : stdout;
    struct xc_error err = { .text = "" };
    if (!out) {
        perror(name);
        return 1;
    }
    if (make_film(out, &options, &err) != XC_OK || fclose(out)) {
        fprintf(stderr, "make-film: %s: %s\n", name, err.text[0] ? err.text : "writing failed");
        return 1;
    }
    return 0;
}
