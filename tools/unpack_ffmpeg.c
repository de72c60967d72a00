/* SPDX-License-Identifier: BSD-2-Clause */
/* Three streams of ffmpeg: a thread writes the pieces to the first, the caller reads the second, and what it says on
 * the third goes to a temporary file, since it may say much before anybody reads it. */
#include "unpack_ffmpeg.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool-sums.h"
#include "tool.h"

/* What a NUT file begins with. After it, NUT allows headers to be repeated, so files may follow each other without it.
 * FFmpeg, doc/nut.txt: file_id_string. */
static const char nut_magic[] = "nut/multimedia container";

/* Times in pieces are later by so many seconds, since NUT has none below 0. xcdriver/cut.py has the same number. */
enum { LATER = 60 };

enum { PATH_SIZE = 4096, GRAPH_SIZE = 4 * UNPACK_TEXT, LINE_SIZE = 1024, NOT_RUN = 127 };

struct unpack_run {
    const struct unpack_plan *plan;
    char **pieces;
    pid_t process;
    int feed;       /* ffmpeg's standard input */
    FILE *output;   /* its standard output */
    FILE *messages; /* its standard error */
    pthread_t feeder;
};

/* ---- The program ---- */

static bool is_program(char path[PATH_SIZE], const char *directory, size_t length)
{
    const int size = snprintf(path, PATH_SIZE, "%.*s/ffmpeg", length ? (int)length : 1, length ? directory : ".");
    return size > 0 && size < PATH_SIZE && !access(path, X_OK);
}

const char *unpack_ffmpeg_find(void)
{
    static char path[PATH_SIZE], own[PATH_SIZE];
    const ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
    if (length > 0 && is_program(path, own, (size_t)(strrchr(own, '/') - own))) {
        return path;
    }
    for (const char *at = getenv("PATH"); at && *at;) {
        const size_t size = strcspn(at, ":");
        if (is_program(path, at, size)) {
            return path;
        }
        at += size + (at[size] == ':');
    }
    xc_tool_fail("ffmpeg", "is not on the PATH, and not beside this program");
}

uint64_t unpack_ffmpeg_hash(const char *ffmpeg)
{
    struct xc_tool_sum sum;
    if (!xc_tool_sum_file(&sum, ffmpeg)) {
        xc_tool_fail(ffmpeg, "%s", strerror(errno));
    }
    return sum.hash;
}

/* ---- What it is told ---- */

/* The driver's filters (xcdriver/pictures.py, graph), for a part of the film: only the pictures that are needed go in,
 * and only the frames of the plan come out. The times of pictures are those of the whole film. After the film's last
 * picture, fps does not know how long it is shown: it is repeated as often as the plan says. */
static void make_graph(char graph[GRAPH_SIZE], const struct unpack_plan *plan)
{
    snprintf(graph, GRAPH_SIZE,
             "[0:v]setpts=round(PTS-%d/TB),settb=%" PRId64 "/%" PRId64 ",trim=start_pts=%" PRId64 ":end_pts=%" PRId64
             ",showinfo=checksum=0,%s,setpts=round(PTS-%s/TB),fps=%" PRId64 "/%" PRId64 "%s,trim=start_pts=%" PRId64
             ":end_pts=%" PRId64 ",setpts=PTS-STARTPTS[pictures]",
             LATER, plan->base.num, plan->base.den, plan->first, plan->last + 1, plan->filters, plan->shift,
             plan->rate.num, plan->rate.den, plan->ends ? ":eof_action=pass,tpad=stop_mode=clone:stop=-1" : "",
             plan->begin, plan->next);
}

_Noreturn static void become_ffmpeg(const char *ffmpeg, const struct unpack_plan *plan, const int ends[3])
{
    char graph[GRAPH_SIZE], rate[64];
    make_graph(graph, plan);
    snprintf(rate, sizeof rate, "%" PRId64 "/%" PRId64, plan->rate.num, plan->rate.den);
    const char *const argv[] = { "ffmpeg",
                                 "-nostdin",
                                 "-hide_banner",
                                 "-nostats",
                                 "-v",
                                 "repeat+info",
                                 "-copyts",
                                 "-max_error_rate",
                                 "1",
                                 "-reinit_filter:v",
                                 "0",
                                 "-protocol_whitelist",
                                 "pipe",
                                 "-f",
                                 "nut",
                                 "-i",
                                 "pipe:0",
                                 "-filter_complex",
                                 graph,
                                 "-map",
                                 "[pictures]",
                                 "-r",
                                 rate,
                                 "-f",
                                 "yuv4mpegpipe",
                                 "pipe:1",
                                 NULL };
    signal(SIGPIPE, SIG_DFL);
    for (int i = 0; i < 3; i++) {
        if (dup2(ends[i], i) < 0) {
            _exit(NOT_RUN);
        }
    }
    execv(ffmpeg, (char **)(uintptr_t)argv);
    fprintf(stderr, "%s\n", strerror(errno));
    _exit(NOT_RUN);
}

/* ---- Feeding it ---- */

static void open_piece(struct xc_tool_input *piece, const char *name, bool is_first)
{
    char start[sizeof nut_magic];
    xc_tool_input_open(piece, name);
    if (fread(start, 1, sizeof start, piece->stream) != sizeof start || memcmp(start, nut_magic, sizeof start) != 0) {
        xc_tool_fail(name, "not a piece of a film: no NUT file");
    }
    if (is_first) {
        rewind(piece->stream);
    }
}

/* False: ffmpeg needs no more. */
static bool feed_piece(const struct unpack_run *run, const struct xc_tool_input *piece)
{
    char buffer[65536];
    size_t size;
    while ((size = fread(buffer, 1, sizeof buffer, piece->stream)) > 0) {
        for (size_t done = 0; done < size;) {
            const ssize_t count = write(run->feed, buffer + done, size - done);
            if (count < 0) {
                return false;
            }
            done += (size_t)count;
        }
    }
    if (ferror(piece->stream)) {
        xc_tool_fail(piece->name, "%s", strerror(EIO));
    }
    return true;
}

static void *feed(void *argument)
{
    const struct unpack_run *run = argument;
    bool more = true;
    for (int i = 0; run->pieces[i] && more; i++) {
        struct xc_tool_input piece;
        open_piece(&piece, run->pieces[i], i == 0);
        more = feed_piece(run, &piece);
        xc_tool_input_close(&piece);
    }
    close(run->feed);
    return NULL;
}

/* ---- Running it ---- */

static void make_pipe(int ends[2])
{
    if (pipe(ends) || fcntl(ends[0], F_SETFD, FD_CLOEXEC) || fcntl(ends[1], F_SETFD, FD_CLOEXEC)) {
        xc_tool_fail("ffmpeg", "%s", strerror(errno));
    }
}

struct unpack_run *unpack_ffmpeg_start(const char *ffmpeg, const struct unpack_plan *plan, char **pieces)
{
    int in[2], out[2];
    struct unpack_run *run = malloc(sizeof *run);
    FILE *messages = tmpfile();
    if (!run || !messages) {
        xc_tool_fail("ffmpeg", "%s", strerror(errno));
    }
    make_pipe(in);
    make_pipe(out);
    signal(SIGPIPE, SIG_IGN); /* ffmpeg may have enough before it has read all */
    *run = (struct unpack_run){ .plan = plan, .pieces = pieces, .feed = in[1], .messages = messages };
    run->process = fork();
    if (!run->process) {
        become_ffmpeg(ffmpeg, plan, (const int[]){ in[0], out[1], fileno(messages) });
    }
    close(in[0]);
    close(out[1]);
    run->output = fdopen(out[0], "rb");
    const int error = pthread_create(&run->feeder, NULL, feed, run);
    if (run->process < 0 || !run->output || error) {
        xc_tool_fail("ffmpeg", "%s", strerror(error ? error : errno));
    }
    return run;
}

FILE *unpack_ffmpeg_output(struct unpack_run *run)
{
    return run->output;
}

/* ---- What it has said ---- */

/* showinfo writes a line for each picture: "[Parsed_showinfo_3 @ 0x...] n:   0 pts: ...". It has other lines, too. */
static bool is_of_picture(const char *line)
{
    const char *end = strstr(line, "] ");
    return end && !strncmp(line, "[Parsed_showinfo", 16) && !strncmp(end, "] n:", 4);
}

static bool has_one_of(const char *line, const char *const words[])
{
    bool found = false;
    for (; *words; words++) {
        found = found || strstr(line, *words);
    }
    return found;
}

struct messages {
    int64_t pictures;      /* that were decoded */
    bool lost;             /* something of a picture could not be decoded, and was made up */
    char worst[LINE_SIZE]; /* the first line about that, or else the first complaint, or else, of a failure, the last */
};

static void read_messages(FILE *file, struct messages *messages)
{
    static const char *const losses[] = {
        "rror while decoding", "rror submitting", "ecoding error", "oncealing", "nvalid NAL",
        "nvalid data",         "orrupt",          "amaged",        NULL
    };
    static const char *const complaints[] = { "rror", "nvalid", "No such", "not found", NULL };
    char line[LINE_SIZE];
    bool complained = false;
    *messages = (struct messages){ 0 };
    rewind(file);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = '\0';
        const bool loss = has_one_of(line, losses);
        if (is_of_picture(line)) {
            messages->pictures++;
        } else if (*line && (!complained || (loss && !messages->lost))) {
            complained = loss || has_one_of(line, complaints);
            strcpy(messages->worst, line);
        }
        messages->lost = messages->lost || loss;
    }
    if (!complained && messages->pictures) {
        messages->worst[0] = '\0';
    }
}

static int end_of(struct unpack_run *run)
{
    int status;
    while (waitpid(run->process, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

void unpack_ffmpeg_finish(struct unpack_run *run)
{
    struct messages said;
    const char *name = run->plan->name;
    const int64_t wanted = run->plan->pictures;
    fclose(run->output);
    const int status = end_of(run);
    pthread_join(run->feeder, NULL);
    read_messages(run->messages, &said);
    if (!WIFEXITED(status) || WEXITSTATUS(status)) {
        xc_tool_fail(name, "ffmpeg failed: %s", said.worst);
    }
    if (wanted && said.pictures != wanted) {
        xc_tool_fail(name,
                     "only %" PRId64 " of %" PRId64 " pictures could be decoded; --decode=here encodes what there "
                     "is: %s",
                     said.pictures, wanted, said.worst);
    }
    if (said.lost && !run->plan->opens) {
        xc_tool_fail(name, "the film is damaged; --decode=here encodes what there is: %s", said.worst);
    }
    fclose(run->messages);
    free(run);
}

_Noreturn void unpack_ffmpeg_blame(struct unpack_run *run, const char *otherwise)
{
    struct messages said;
    kill(run->process, SIGTERM);
    end_of(run);
    read_messages(run->messages, &said);
    xc_tool_fail(run->plan->name, "%s%s%s", otherwise, *said.worst ? "; ffmpeg: " : "", said.worst);
}
