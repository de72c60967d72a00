/* SPDX-License-Identifier: BSD-2-Clause */
/* IVF and Y4M: what is written is read again, what is not well-formed is refused with a reason. */
#include "excamera/ivf.h"
#include "excamera/picture.h"
#include "excamera/y4m.h"
#include "unit.h"

static FILE *stream_of(const void *data, size_t size)
{
    FILE *stream = tmpfile();
    fwrite(data, 1, size, stream);
    rewind(stream);
    return stream;
}

static enum xc_status read_ivf(struct xc_ivf *ivf, const void *data, size_t size, struct xc_error *err)
{
    FILE *stream = stream_of(data, size);
    enum xc_status status = xc_ivf_read(ivf, stream, err);
    fclose(stream);
    return status;
}

static void check_ivf_refused(const void *data, size_t size)
{
    struct xc_ivf ivf;
    struct xc_error err = { .text = "" };
    CHECK(read_ivf(&ivf, data, size, &err) != XC_OK);
    CHECK(err.text[0] && !strchr(err.text, '\n'));
}

/* Three frames, one of them empty and the first an interframe (an odd byte), as xc_ivf_write_* write them. */
static char *make_ivf(size_t *size)
{
    char *data = NULL;
    struct xc_error err = { .text = "" };
    const struct xc_ivf_header header = { 640, 360, 30000, 1001, 3, 0x12345678, 0 };
    FILE *stream = open_memstream(&data, size);
    CHECK_OK(xc_ivf_write_header(stream, &header, &err), err);
    CHECK_OK(xc_ivf_write_frame(stream, 0, (const uint8_t *)"inter", 5, &err), err);
    CHECK_OK(xc_ivf_write_frame(stream, 1, NULL, 0, &err), err);
    CHECK_OK(xc_ivf_write_frame(stream, 1ull << 40, (const uint8_t *)"third", 5, &err), err);
    fclose(stream);
    return data;
}

/* The bytes by which libvpx's ivfenc.c, and our own field at offset 28, define the format. */
static void test_ivf_bytes(void)
{
    static const uint8_t expected[] = {
        'D',  'K',  'I', 'F', 0,    0, 32, 0, 'V', 'P', '8', '0', 0x80, 2,    0x68, 1,    /* 640x360 */
        0x30, 0x75, 0,   0,   0xe9, 3, 0,  0, 3,   0,   0,   0,   0x78, 0x56, 0x34, 0x12, /* 30000/1001, 3 frames, the
                                                                                             id */
        5,    0,    0,   0,   0,    0, 0,  0, 0,   0,   0,   0,   'i',  'n',  't',  'e',  'r',
    };
    size_t size;
    char *data = make_ivf(&size);
    CHECK_EQUAL(size, 32 + 3 * 12 + 10);
    CHECK(memcmp(data, expected, sizeof expected) == 0);
    free(data);
    unit_end("IVF: the bytes are libvpx's");
}

static void test_ivf_round_trip(void)
{
    size_t size;
    char *data = make_ivf(&size);
    struct xc_ivf ivf;
    struct xc_error err = { .text = "" };
    data[24] = 0; /* as libvpx leaves it in a pipe */
    CHECK_OK(read_ivf(&ivf, data, size, &err), err);
    CHECK(ivf.header.width == 640 && ivf.header.height == 360);
    CHECK(ivf.header.rate_num == 30000 && ivf.header.rate_den == 1001);
    CHECK(ivf.header.frame_count == 3 && ivf.header.expected_state == 0x12345678);
    CHECK(ivf.frames[0].size == 5 && memcmp(ivf.frames[0].data, "inter", 5) == 0);
    CHECK(ivf.frames[1].size == 0 && ivf.frames[1].timestamp == 1);
    CHECK(ivf.frames[2].size == 5 && ivf.frames[2].timestamp == 1ull << 40);
    xc_ivf_clear(&ivf);
    unit_end("IVF: what is written is read again");

    data[32 + 12] = 0; /* a key frame needs no state, and other writers leave anything in those bytes */
    CHECK_OK(read_ivf(&ivf, data, size, &err), err);
    CHECK_EQUAL(ivf.header.expected_state, 0);
    xc_ivf_clear(&ivf);
    free(data);
    unit_end("IVF: a key frame expects no state");
}

static void test_ivf_refusals(void)
{
    size_t size;
    char *data = make_ivf(&size);
    for (size_t length = 0; length < size; length++) {
        check_ivf_refused(data, length);
    }
    unit_end("IVF: a file cut short is refused, between two frames, too");
    static const size_t offsets[] = { 0, 3, 4, 8, 11 }; /* magic, version, codec */
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        data[offsets[i]] ^= 0x20;
        check_ivf_refused(data, size);
        data[offsets[i]] ^= 0x20;
    }
    unit_end("IVF: another format is refused");
    memset(data + 32, 0xff, 4); /* a frame of 4 GB */
    check_ivf_refused(data, size);
    free(data);
    unit_end("IVF: a huge frame is refused");
}

static void put_32(char *data, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        data[i] = (char)(value >> 8 * i);
    }
}

/* What the header says of its three frames, the first of which is hidden, and which last 513 units. named: what it has
 * in the place of a state's id. */
static void check_stated_count(uint32_t stated, uint32_t named, bool taken)
{
    size_t size;
    char *data = make_ivf(&size);
    struct xc_ivf ivf;
    struct xc_error err = { .text = "" };
    put_32(data + 24, stated);
    put_32(data + 28, named);
    memcpy(data + 32 + 17 + 12 + 4, "\0\2\0\0\0\0\0", 8); /* the last timestamp: 512; the one before is 1 */
    CHECK((read_ivf(&ivf, data, size, &err) == XC_OK) == taken);
    if (taken) {
        CHECK_EQUAL(ivf.header.frame_count, 3);
        CHECK_EQUAL(ivf.header.duration, 513);
        CHECK_EQUAL(ivf.header.expected_state, named == XC_NO_STATE_ID ? 0 : named);
        xc_ivf_clear(&ivf);
    }
    free(data);
}

static void test_ivf_counts(void)
{
    check_stated_count(3, 0, true);
    check_stated_count(0, 0, true);
    check_stated_count(UINT32_MAX, 0, true);
    check_stated_count(512 + 1, 0, true);
    check_stated_count(512 + 511, 0, true);
    unit_end("IVF: what other writers leave in place of a count is taken");
    check_stated_count(2, 0, false);
    check_stated_count(4, 0, false);
    check_stated_count(512, 0, false);
    check_stated_count(512 + 512, 0, false);
    unit_end("IVF: another number of frames than the header states is refused");
    static const uint32_t ours[] = { 0x12345678, XC_NO_STATE_ID };
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        check_stated_count(512 + 1, ours[i], true);
        check_stated_count(3, ours[i], false);
        check_stated_count(512, ours[i], false);
        check_stated_count(512 + 2, ours[i], false);
    }
    unit_end("IVF: a header that says so states the duration and nothing else");
}

/* What the header has at offset 24 and 28. */
static void check_header(struct xc_ivf_header header, uint32_t stated, uint32_t named)
{
    char *data = NULL, expected[8];
    size_t size;
    struct xc_error err = { .text = "" };
    FILE *stream = open_memstream(&data, &size);
    CHECK_OK(xc_ivf_write_header(stream, &header, &err), err);
    fclose(stream);
    put_32(expected, stated);
    put_32(expected + 4, named);
    CHECK(size == 32 && memcmp(data + 24, expected, sizeof expected) == 0);
    free(data);
}

static void test_ivf_duration(void)
{
    static const uint8_t bytes[3] = { 0x11, 0, 0 };
    const struct xc_ivf_frame key = { 7, (const uint8_t *)"\x10\0\0", 3 }, shown = { 9, bytes, 3 },
                              lost = { 9, NULL, 0 }, hidden = { 9, (const uint8_t *)"\1\0\0", 3 },
                              start = { 0, hidden.data, 3 }, late = { UINT64_MAX, bytes, 3 };
    CHECK_EQUAL(xc_ivf_duration(&key, &key), 1);
    CHECK_EQUAL(xc_ivf_duration(&key, &shown), 3);
    CHECK_EQUAL(xc_ivf_duration(&key, &lost), 3);
    CHECK_EQUAL(xc_ivf_duration(&key, &hidden), 2);
    CHECK_EQUAL(xc_ivf_duration(&start, &shown), 10);
    CHECK_EQUAL(xc_ivf_duration(&shown, &key), 0);
    CHECK_EQUAL(xc_ivf_duration(&key, &late), 0);
    check_header((struct xc_ivf_header){ 64, 64, 25, 1, 7, 0, 6 }, 6, XC_NO_STATE_ID);
    check_header((struct xc_ivf_header){ 64, 64, 25, 1, 7, 5, 6 }, 6, 5);
    check_header((struct xc_ivf_header){ 64, 64, 25, 1, 7, 0, 7 }, 7, 0);
    check_header((struct xc_ivf_header){ 64, 64, 25, 1, 7, 0, 0 }, 7, 0);
    unit_end("IVF: hidden frames take no time, and a header states what players take for the duration");
}

static void test_ivf_damaged(void)
{
    static const size_t frame_ends[] = { 32 + 17, 32 + 17 + 12, SIZE_MAX };
    size_t size;
    char *data = make_ivf(&size);
    for (size_t length = 32; length <= size; length++) {
        struct xc_ivf ivf;
        struct xc_error err = { .text = "" }, damage = { .text = "" };
        FILE *stream = stream_of(data, length);
        CHECK_OK(xc_ivf_read_damaged(&ivf, &damage, stream, &err), err);
        uint32_t whole = length == size ? 3 : 0;
        while (whole < 3 && frame_ends[whole] <= length) {
            whole++;
        }
        CHECK(ivf.header.frame_count == whole && (damage.text[0] == 0) == (length == size));
        CHECK(!whole || (ivf.frames[0].size == 5 && memcmp(ivf.frames[0].data, "inter", 5) == 0));
        fclose(stream);
        xc_ivf_clear(&ivf);
    }
    free(data);
    unit_end("IVF: of a file cut short, the whole frames can be had");
}

static enum xc_status read_y4m_header(struct xc_y4m_header *header, const char *text, struct xc_error *err)
{
    FILE *stream = stream_of(text, strlen(text));
    enum xc_status status = xc_y4m_read_header(header, stream, err);
    fclose(stream);
    return status;
}

static void test_y4m_headers(void)
{
    static const char *const good[] = {
        "YUV4MPEG2 W37 H21\n",
        "YUV4MPEG2 W37 H21 F24:1 Ip A1:1 C420jpeg\n",
        "YUV4MPEG2 H21 W37 C420mpeg2 F24:1\n",
        "YUV4MPEG2 W37 H21 F24:1 C420paldv XYSCSS=420PALDV\n",
        "YUV4MPEG2 W37 H21 F24:1 I? A0:0 C420 XCOLORRANGE=LIMITED\n",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct xc_y4m_header header;
        struct xc_error err = { .text = "" };
        CHECK_OK(read_y4m_header(&header, good[i], &err), err);
        CHECK(header.width == 37 && header.height == 21);
        CHECK(header.rate_num == (i ? 24 : 30) && header.rate_den == 1);
        CHECK(strlen(header.line) == strlen(good[i]) - 1 && strncmp(header.line, good[i], strlen(header.line)) == 0);
    }
    unit_end("Y4M: headers");
}

static void test_y4m_refusals(void)
{
    static const char *const bad[] = {
        "",
        "\n",
        "YUV4MPEG2",
        "YUV4MPEG2 W37 H21",
        "YUV4MPEG W37 H21\n",
        "YUV4MPEG2 W37\n",
        "YUV4MPEG2 H21\n",
        "YUV4MPEG2 W0 H21\n",
        "YUV4MPEG2 W37 H0\n",
        "YUV4MPEG2 W-1 H21\n",
        "YUV4MPEG2 W16384 H21\n",
        "YUV4MPEG2 W4294967333 H21\n",
        "YUV4MPEG2 W37x H21\n",
        "YUV4MPEG2 W37 H21 C422\n",
        "YUV4MPEG2 W37 H21 C444\n",
        "YUV4MPEG2 W37 H21 Cmono\n",
        "YUV4MPEG2 W37 H21 C420p10\n",
        "YUV4MPEG2 W37 H21 C420p10 XYSCSS=420P10\n",
        "YUV4MPEG2 W37 H21 It\n",
        "YUV4MPEG2 W37 H21 Ib\n",
        "YUV4MPEG2 W37 H21 Im\n",
        "YUV4MPEG2 W37 H21 F0:1\n",
        "YUV4MPEG2 W37 H21 F24:0\n",
        "YUV4MPEG2 W37 H21 F24\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct xc_y4m_header header;
        struct xc_error err = { .text = "" };
        CHECK(read_y4m_header(&header, bad[i], &err) != XC_OK);
        CHECK(err.text[0] && !strchr(err.text, '\n'));
        if (unit_reason[0]) {
            printf("the header was: %s\n", bad[i]);
        }
        unit_end("Y4M: a header that is refused");
    }
    char text[100000] = "YUV4MPEG2 W37 H21 X";
    memset(text + strlen(text), 'x', sizeof text - strlen(text) - 2);
    text[sizeof text - 2] = '\n';
    struct xc_y4m_header header;
    CHECK(read_y4m_header(&header, text, NULL) != XC_OK);
    unit_end("Y4M: a line without end is refused");
}

static void test_y4m_frames(void)
{
    char text[] = "YUV4MPEG2 W3 H1 F25:1\nFRAME\nabcUVuvFRAME Ip\ndefWXwx";
    struct xc_y4m_header header;
    struct xc_picture *picture;
    struct xc_error err = { .text = "" };
    bool end;
    FILE *stream = stream_of(text, strlen(text));
    CHECK_OK(xc_y4m_read_header(&header, stream, &err), err);
    CHECK_OK(xc_picture_new(&picture, NULL, header.width, header.height, &err), err);
    CHECK_OK(xc_y4m_read_frame(picture, &end, stream, &err), err);
    const struct xc_plane *y = &picture->plane[XC_PLANE_Y], *v = &picture->plane[XC_PLANE_V];
    CHECK(!end && memcmp(y->data, "abcccccccccccccc", 16) == 0 && memcmp(y->data + 15 * y->stride, "abcc", 4) == 0);
    CHECK(memcmp(v->data, "uvvvvvvv", 8) == 0);
    CHECK_OK(xc_y4m_read_frame(picture, &end, stream, &err), err);
    CHECK(!end && memcmp(y->data, "deff", 4) == 0);
    CHECK_OK(xc_y4m_read_frame(picture, &end, stream, &err), err);
    CHECK(end && memcmp(y->data, "deff", 4) == 0);
    fclose(stream);
    xc_picture_unref(picture);
    unit_end("Y4M: frames");
}

static void test_y4m_writing(void)
{
    static const char text[] = "YUV4MPEG2 W3 H1 F25:1 XNOTE=kept\nFRAME\nabcUVuv";
    struct xc_y4m_header header;
    struct xc_picture *picture;
    struct xc_error err = { .text = "" };
    bool end;
    char *data;
    size_t size;
    FILE *in = stream_of(text, strlen(text)), *out = open_memstream(&data, &size);
    CHECK_OK(xc_y4m_read_header(&header, in, &err), err);
    CHECK_OK(xc_picture_new(&picture, NULL, header.width, header.height, &err), err);
    CHECK_OK(xc_y4m_read_frame(picture, &end, in, &err), err);
    CHECK_OK(xc_y4m_write_header(out, &header, &err), err);
    CHECK_OK(xc_y4m_write_frame(out, picture, &err), err);
    fclose(in);
    fclose(out);
    CHECK(size == strlen(text) && memcmp(data, text, size) == 0);
    free(data);
    xc_picture_unref(picture);
    unit_end("Y4M: what is written is what was read");
}

/* A stream that ends inside a frame, or has something else where a frame should begin. */
static void test_y4m_bad_frames(void)
{
    static const char *const bad[] = {
        "F", "FRAME", "FRAME\n", "FRAME\nabcUVu", "FRAMES\nabcUVuv", "frame\nabcUVuv", "xyz\nabcUVuv",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct xc_picture *picture;
        struct xc_error err = { .text = "" };
        bool end = false;
        CHECK_OK(xc_picture_new(&picture, NULL, 3, 1, &err), err);
        FILE *stream = stream_of(bad[i], strlen(bad[i]));
        CHECK(xc_y4m_read_frame(picture, &end, stream, &err) != XC_OK);
        CHECK(err.text[0]);
        fclose(stream);
        xc_picture_unref(picture);
    }
    unit_end("Y4M: broken frames are refused");
}

int main(void)
{
    test_ivf_bytes();
    test_ivf_round_trip();
    test_ivf_refusals();
    test_ivf_counts();
    test_ivf_duration();
    test_ivf_damaged();
    test_y4m_headers();
    test_y4m_refusals();
    test_y4m_frames();
    test_y4m_writing();
    test_y4m_bad_frames();
    return unit_finish();
}
