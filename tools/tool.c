/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line, --help and errors, the same for all tools. */
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "excamera/version.h"

enum { MAX_OPTIONS = 96, LINE_WIDTH = 79, HELP_COLUMN = 30 };

/* getopt_long returns an option's letter, or FIRST_LONG plus the option's index in the table. */
enum { FIRST_LONG = 256, HELP = FIRST_LONG + MAX_OPTIONS, VERSION };

static const struct xc_tool *current;

/* Ends the program without flushing stdio's buffers: what they hold is part of an output that is broken. */
_Noreturn static void give_up(int exit_code)
{
    xc_tool_atomic_discard();
    _Exit(exit_code);
}

_Noreturn void xc_tool_fail(const char *file, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s: %s%s", current->name, file ? file : "", file ? ": " : "");
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    give_up(1);
}

_Noreturn void xc_tool_usage_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s: ", current->name);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "; try '%s --help'\n", current->name);
    va_end(arguments);
    give_up(2);
}

void xc_tool_check(enum xc_status status, const char *file, const struct xc_error *err)
{
    if (status) {
        xc_tool_fail(file, "%s", err->text);
    }
}

/* Prints text word by word. The first line starts at column, the following lines at indent. */
static void print_wrapped(const char *text, int column, int indent)
{
    while (*text) {
        int length = (int)strcspn(text, " ");
        if (column > indent && column + 1 + length > LINE_WIDTH) {
            putchar('\n');
            column = 0;
        }
        int gap = column < indent ? indent - column : column > indent;
        printf("%*s%.*s", gap, "", length, text);
        column += gap + length;
        text += length;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static void print_paragraphs(const char *text)
{
    while (*text) {
        char paragraph[1024];
        const char *end = strstr(text, "\n\n");
        const size_t length = end ? (size_t)(end - text) : strlen(text);
        snprintf(paragraph, sizeof paragraph, "%.*s", (int)length, text);
        print_wrapped(paragraph, 0, 0);
        putchar('\n');
        text += length + (end ? strlen("\n\n") : 0);
    }
}

/* Prints each line as it is, under a heading. */
static void print_examples(const char *lines)
{
    puts(strchr(lines, '\n') ? "\nExamples:" : "\nExample:");
    while (*lines) {
        const int length = (int)strcspn(lines, "\n");
        printf("  %.*s\n", length, lines);
        lines += length + (lines[length] == '\n');
    }
}

/* Adds the value that an option's variable has, if it is one that may be given. */
static void add_default(char *text, size_t size, const struct xc_tool_option *option)
{
    const size_t length = strlen(text);
    if (option->text && *option->text) {
        snprintf(text + length, size - length, " (default: %s)", *option->text);
    } else if (option->integer && (double)*option->integer >= option->minimum) {
        snprintf(text + length, size - length, " (default: %lld)", (long long)*option->integer);
    } else if (option->real && *option->real >= option->minimum) {
        snprintf(text + length, size - length, " (default: %g)", *option->real);
    }
}

static void print_option(char letter, const char *name, const char *argument, const char *help)
{
    const char letter_text[] = { '-', letter, ',', '\0' };
    int column = printf("  %3s --%s", letter ? letter_text : "", name);
    if (argument) {
        column += printf("=%s", argument);
    }
    if (column >= HELP_COLUMN) {
        putchar('\n');
        column = 0;
    }
    print_wrapped(help, column, HELP_COLUMN);
}

static void print_help(void)
{
    const char *form = current->synopsis;
    for (const char *lead = "Usage:"; *form; lead = "   or:") {
        int length = (int)strcspn(form, "\n");
        printf("%s %s %.*s\n", lead, current->name, length, form);
        form += length + (form[length] == '\n');
    }
    putchar('\n');
    print_paragraphs(current->description);
    for (const struct xc_tool_option *option = current->options; option->name; option++) {
        char help[512];
        snprintf(help, sizeof help, "%s", option->help);
        add_default(help, sizeof help, option);
        if (option->group) {
            printf("%s%s:\n", option == current->options ? "" : "\n", option->group);
        }
        print_option(option->letter, option->name, option->argument, help);
    }
    print_option(0, "help", NULL, "print this and exit");
    print_option(0, "version", NULL, "print the version and exit");
    if (current->examples) {
        print_examples(current->examples);
    }
}

_Noreturn static void finish_stdout(void)
{
    if (fflush(stdout)) {
        xc_tool_fail("-", "%s", strerror(errno));
    }
    exit(0);
}

static void set_integer(const struct xc_tool_option *option, const char *argument)
{
    char *end;
    errno = 0;
    long long value = strtoll(argument, &end, 10);
    bool number = strchr("-0123456789", argument[0]) && end > argument && !*end;
    if (!number || errno || (double)value < option->minimum || (double)value > option->maximum) {
        xc_tool_usage_error("--%s: '%s' is not a whole number from %.0f to %.0f", option->name, argument,
                            option->minimum, option->maximum);
    }
    *option->integer = value;
}

static void set_real(const struct xc_tool_option *option, const char *argument)
{
    char *end;
    double value = strtod(argument, &end);
    bool number = strchr("-.0123456789", argument[0]) && end > argument && !*end;
    if (!number || !(value >= option->minimum && value <= option->maximum)) {
        xc_tool_usage_error("--%s: '%s' is not a number from %g to %g", option->name, argument, option->minimum,
                            option->maximum);
    }
    *option->real = value;
}

/* An option that lacks its argument would take the next option for it. */
static void refuse_option_as_argument(const struct xc_tool_option *option, const char *argument)
{
    if (argument[0] == '-' && argument[1]) {
        xc_tool_usage_error("--%s needs an argument; a file of the name '%s' is written ./%s", option->name, argument,
                            argument);
    }
}

static bool is_given[MAX_OPTIONS]; /* by place in the table */

bool xc_tool_given(const void *variable)
{
    for (int i = 0; current->options[i].name; i++) {
        const struct xc_tool_option *option = &current->options[i];
        const void *const variables[] = { option->flag, option->text, option->integer, option->real };
        for (int j = 0; j < 4; j++) {
            if (is_given[i] && variable && variables[j] == variable) {
                return true;
            }
        }
    }
    return false;
}

bool xc_tool_has_option(const char *name)
{
    int i = 0;
    while (current->options[i].name && strcmp(current->options[i].name, name)) {
        i++;
    }
    return current->options[i].name;
}

static void set(const struct xc_tool_option *option, const char *argument)
{
    is_given[option - current->options] = true;
    if (option->flag) {
        *option->flag = true;
    } else if (option->text) {
        refuse_option_as_argument(option, argument);
        *option->text = argument;
    } else if (option->integer) {
        set_integer(option, argument);
    } else {
        set_real(option, argument);
    }
}

/* Converts the option table to getopt_long's form. */
static void build_getopt_tables(char letters[2 * MAX_OPTIONS + 2], struct option names[MAX_OPTIONS + 3])
{
    int i = 0;
    *letters++ = ':'; /* getopt_long prints no messages, and tells a missing argument from an unknown option */
    for (; current->options[i].name; i++) {
        const struct xc_tool_option *option = &current->options[i];
        if (option->letter) {
            *letters++ = option->letter;
            if (option->argument) {
                *letters++ = ':';
            }
        }
        int has_argument = option->argument ? required_argument : no_argument;
        names[i] = (struct option){ option->name, has_argument, NULL, FIRST_LONG + i };
    }
    *letters = '\0';
    names[i++] = (struct option){ "help", no_argument, NULL, HELP };
    names[i++] = (struct option){ "version", no_argument, NULL, VERSION };
    names[i] = (struct option){ 0 };
}

/* The option for which getopt_long has returned this value, which is always one of the table's. */
static const struct xc_tool_option *find_option(int value)
{
    int i = 0;
    while (value != current->options[i].letter && value != FIRST_LONG + i) {
        i++;
    }
    return &current->options[i];
}

/* getopt_long has returned ':' (an argument is missing) or '?'. optopt says which option is meant; 0: an unknown long
 * option. */
_Noreturn static void refuse_option(int result, char **argv)
{
    if (result == ':') {
        xc_tool_usage_error("--%s needs an argument", find_option(optopt)->name);
    }
    if (optopt >= FIRST_LONG) {
        xc_tool_usage_error("%s: the option takes no argument", argv[optind - 1]);
    }
    if (optopt) {
        xc_tool_usage_error("unknown option -%c", optopt);
    }
    xc_tool_usage_error("unknown or ambiguous option %s", argv[optind - 1]);
}

static void parse_options(int argc, char **argv)
{
    char letters[2 * MAX_OPTIONS + 2];
    struct option names[MAX_OPTIONS + 3];
    build_getopt_tables(letters, names);

    int result;
    while ((result = getopt_long(argc, argv, letters, names, NULL)) != -1) {
        if (result == ':' || result == '?') {
            refuse_option(result, argv);
        }
        if (result == HELP || result == VERSION) {
            if (result == HELP) {
                print_help();
            } else {
                printf("%s %s\n", current->name, xc_version());
            }
            finish_stdout();
        }
        set(find_option(result), optarg);
    }
}

/* Where a standard stream is closed, the next file to be opened would get its number and be mistaken for it. So this
 * opens /dev/null there, in the wrong direction: using the stream remains an error. */
static void fill_standard_streams(void)
{
    for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++) {
        if (fcntl(i, F_GETFD) < 0) {
            open("/dev/null", (i == STDIN_FILENO ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
        }
    }
}

bool xc_tool_called(const char *program, const char *name)
{
    const char *slash = program ? strrchr(program, '/') : NULL;
    return program && !strcmp(slash ? slash + 1 : program, name);
}

char **xc_tool_start(const struct xc_tool *tool, int argc, char **argv)
{
    static struct xc_tool copy; /* errors need it after the caller's is gone */
    copy = *tool;
    current = &copy;
    fill_standard_streams();
    parse_options(argc, argv);
    if (argc - optind < tool->minimum_operands) {
        xc_tool_usage_error("a file is missing: %s %.*s", tool->name, (int)strcspn(tool->synopsis, "\n"),
                            tool->synopsis);
    }
    if (argc - optind > tool->maximum_operands) {
        xc_tool_usage_error("unexpected '%s'", argv[optind + tool->maximum_operands]);
    }
    return argv + optind;
}
