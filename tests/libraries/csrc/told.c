/* Calls back in every way that contracts have words for, and lies where it is told to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct told_thing { int id; };

/* Lies: what is passed instead of the truth. */
enum { TRUTH, NOTHING, ELSEWHERE, TOO_MANY, STATIC, ABORTS };

static int (*kept)(int);

/* Rows of `count` words, some of them NULL; stops where a row is answered with anything but 0. */
int told_rows(int rows, int count, int (*each)(void *user, int count, char **values, const char *title), void *user, int lie)
{
    char **values = calloc((size_t)count + 1, sizeof *values);
    int row, at, answer = 0;
    for (row = 0; row < rows && !answer; row++) {
        for (at = 0; at < count; at++) {
            free(values[at]);
            values[at] = at == row ? NULL : calloc(8, 1);
            if (values[at])
                memset(values[at], 'a' + row, 1 + (size_t)at % 6);
        }
        switch (lie) {
        case NOTHING: answer = each(user, count, NULL, "nothing"); break;
        case ELSEWHERE: values[0] = (char *)0x1000; answer = each(user, count, values, NULL); break;
        case TOO_MANY: answer = each(user, 0x7fffffff, values, NULL); break;
        default: answer = each(user, count, values, row % 2 ? NULL : "row"); break;
        }
        if (lie)
            values[0] = NULL;
    }
    for (at = 0; at < count; at++)
        free(values[at]);
    free(values);
    return answer;
}

/* Fills `out` with what `fill` gives, piece by piece; returns how much. */
size_t told_fill(unsigned char *out, size_t room, long (*fill)(void *user, unsigned char *into, size_t room), void *user, int lie)
{
    static const unsigned char constant[16];
    unsigned char piece[100];
    size_t have = 0;
    for (;;) {
        size_t want = room - have < sizeof piece ? room - have : sizeof piece;
        long got;
        switch (lie) {
        case NOTHING: got = fill(user, NULL, want); break;
        case ELSEWHERE: got = fill(user, (unsigned char *)0x1000, want); break;
        case TOO_MANY: got = fill(user, piece, (size_t)1 << 40); break;
        case STATIC: got = fill(user, (unsigned char *)constant, sizeof constant); break;
        default: got = want ? fill(user, piece, want) : 0; break;
        }
        if (got <= 0 || (size_t)got > want)
            return have;
        memcpy(out + have, piece, (size_t)got);
        have += (size_t)got;
    }
}

struct told_thing *told_thing(int id)
{
    struct told_thing *thing = malloc(sizeof *thing);
    thing->id = id;
    return thing;
}

/* Two things, of which the second may be missing. */
int told_pair(struct told_thing **first, struct told_thing **second, int lie)
{
    *first = told_thing(1);
    *second = lie ? NULL : told_thing(2);
    return 0;
}

int told_id(const struct told_thing *thing) { return thing->id; }

int told_drop(struct told_thing *thing)
{
    int id = thing->id;
    free(thing);
    return id;
}

/* Shows each of `count` numbers with the thing; returns the sum of what is answered. */
long told_each(struct told_thing *thing, const int *numbers, size_t count,
               long (*visit)(struct told_thing *thing, const int *numbers, size_t count))
{
    long sum = 0;
    size_t at;
    int *copy = malloc(count * sizeof *copy + 1);
    memcpy(copy, numbers, count * sizeof *copy);
    for (at = 0; at < count; at++)
        sum += visit(thing, copy, at + 1);
    free(copy);
    return sum;
}

/* The sum of a table. */
long told_table(const int *numbers, size_t rows, size_t columns, size_t depth)
{
    long sum = 0;
    size_t at;
    for (at = 0; at < rows * columns * depth; at++)
        sum += numbers[at];
    return sum;
}

/* The sum of rows of `width` values each, of which `per_byte` are packed in a byte. */
long told_packed(const unsigned char *bytes, size_t width, size_t rows, size_t per_byte)
{
    long sum = 0;
    for (size_t at = 0; at < (width + per_byte - 1) / per_byte * rows; at++)
        sum += bytes[at];
    return sum;
}

/* Fills half of the room, and counts in halves of bytes; nobody needs to set `*used` before. */
int told_halves(unsigned char *out, size_t room, size_t *halves, size_t *used)
{
    for (size_t at = 0; at < room / 2; at++)
        out[at] = 9;
    *halves = room / 2 * 2 + 1;
    *used = *used ? 0 : 1;
    return 0;
}

/* Claims to have written the cube of what it returns. */
unsigned long long told_more(unsigned char *out, size_t room)
{
    memset(out, 7, room);
    return ~0ull;
}

/* Fills `out` with sevens, of which the program had `*done`, and says how many there are then. */
int told_on(unsigned char *out, size_t room, size_t *done)
{
    if (*done > room)
        return -1;
    memset(out, 7, room);
    *done = room;
    return 0;
}

/* Keeps what it was given, and calls it when that is over. */
void told_keep(int (*back)(int)) { kept = back; }
int told_again(int number) { return kept(number); }

/* Copies what lies between `text` and `text_end`, as capitals, to what lies between `out` and `out_end`; returns how much. */
int told_capitals(const char *text, const char *text_end, unsigned char *out, unsigned char *out_end)
{
    unsigned char *at = out;
    for (; text < text_end && at < out_end; text++)
        *at++ = (unsigned char)(*text >= 'a' && *text <= 'z' ? *text - 'a' + 'A' : *text);
    return (int)(at - out);
}

/* Reverses numbers in place, where there are any; returns their sum, -1 without. */
int told_reversed(int *first, int *last)
{
    int sum = 0;
    const int *at;
    if (!first)
        return -1;
    for (at = first; at < last; at++)
        sum += *at;
    for (; last - first > 1; first++) {
        int other = *--last;
        *last = *first;
        *first = other;
    }
    return sum;
}

/* A page of `count` lines, each a number of copies of its own letter. */
struct told_line { unsigned char *data; size_t size; };
struct told_page { const char *title; int count; struct told_line *lines; struct told_thing *owner; unsigned char *unset; unsigned long width; };

struct told_page *told_page(int count, int lie)
{
    static char title[] = "page";
    struct told_page *page = calloc(1, sizeof *page);
    int at;
    page->title = title;
    page->count = count;
    page->lines = calloc((size_t)count, sizeof *page->lines);
    page->owner = told_thing(count);
    page->width = 0;
    for (at = 0; at < count; at++) {
        page->lines[at].size = (size_t)at;
        page->lines[at].data = memset(malloc((size_t)at + 1), 'a' + at, (size_t)at);
    }
    switch (lie) {
    case NOTHING: page->lines = NULL; break;
    case ELSEWHERE: page->title = (const char *)0x1000; break;
    case TOO_MANY: page->count = 0x7fffffff; break;
    case STATIC: page->width = ~0ul; page->unset = (unsigned char *)page; break;
    }
    return page;
}

/* What a program does to it through the other functions. */
void told_line_lies(struct told_line *line, size_t size) { line->size = size; }

void told_page_drop(struct told_page *page)
{
    free(page->owner);
    free(page);
}

/* A store of one pair, in the manner of lmdb. */
struct told_val { size_t size; void *data; };
static struct told_val stored[2];

static void keep(struct told_val *into, const struct told_val *from)
{
    into->size = from->size;
    into->data = memcpy(realloc(into->data, from->size + 1), from->data, from->size);
}

int told_put(const struct told_val *key, struct told_val *data)
{
    keep(&stored[0], key);
    if (!data)
        return 1;
    keep(&stored[1], data);
    return 0;
}

int told_get(struct told_val *key, struct told_val *data, int lie)
{
    if (key->size != stored[0].size || memcmp(key->data, stored[0].data, key->size))
        return -1;
    *data = stored[1];
    switch (lie) {
    case NOTHING: data->data = NULL; break;
    case ELSEWHERE: data->data = (void *)0x1000; break;
    case TOO_MANY: data->size = (size_t)1 << 40; break;
    }
    return 0;
}

/* With a key the data behind it; without one the first pair. */
int told_seek(struct told_val *key, struct told_val *data)
{
    if (key->size && (key->size != stored[0].size || memcmp(key->data, stored[0].data, key->size)))
        return -1;
    if (!key->size)
        *key = stored[0];
    else
        ((char *)key->data)[0] = '!';
    *data = stored[1];
    return 0;
}

/* The sum of a run of numbers. */
struct told_numbers { const int *first; unsigned count; };
long told_sum(struct told_numbers numbers)
{
    long sum = 0;
    unsigned at;
    for (at = 0; at < numbers.count; at++)
        sum += numbers.first[at];
    return sum;
}

/* Words in front of others, of which the first two change places, as getopt has them do; -1 where NULL is not behind the last. */
size_t told_join(int argc, char **argv, const char **more, char *out, size_t room)
{
    size_t have = 0;
    int at;
    if (argv[argc])
        return (size_t)-1;
    if (argc > 1) {
        char *first = argv[0];
        argv[0] = argv[1];
        argv[1] = first;
    }
    for (at = 0; at < argc || (more && *more); at++) {
        const char *word = at < argc ? argv[at] : *more++;
        size_t length = strlen(word);
        if (length >= room - have)
            break;
        memcpy(out + have, word, length);
        have += length;
        out[have++] = ' ';
    }
    return have;
}

/* The things' numbers in a row, 0 for what is missing. */
long told_ids(const struct told_thing *const *things, size_t count)
{
    long ids = 0;
    size_t at;
    for (at = 0; at < count; at++)
        ids = ids * 10 + (things[at] ? things[at]->id : 0);
    return ids;
}

/* Every row, with `by` added, to where `out` has the same one. */
int told_shift(const unsigned char *const *rows, unsigned char **out, unsigned count, size_t width, unsigned char by, int lie)
{
    static unsigned char own[4096];
    unsigned row;
    size_t at;
    for (row = 0; row < count; row++) {
        for (at = 0; at < width; at++)
            out[row][at] = (unsigned char)(rows[row][at] + by);
        switch (lie) {
        case NOTHING: out[row] = NULL; break;
        case ELSEWHERE: out[row] = own; break;
        case TOO_MANY: out[row][width] = by; break;
        case ABORTS: abort();
        }
    }
    return (int)count;
}

/* All parts, each with its length before it in brackets; `-` for NULL. */
size_t told_gather(const void *const *parts, const unsigned *lengths, size_t count, char *out, size_t room)
{
    size_t part, written = 0;
    for (part = 0; part < count; part++) {
        if (!parts[part])
            written += (size_t)snprintf(out + written, room - written, "-");
        else
            written += (size_t)snprintf(out + written, room - written, "[%u]%.*s", lengths[part], (int)lengths[part], (const char *)parts[part]);
    }
    return written;
}

/* Numbers the bytes of all parts. */
void told_scatter(unsigned char *const *parts, const size_t *lengths, size_t count)
{
    size_t part, at;
    unsigned char next = 0;
    for (part = 0; part < count; part++)
        for (at = 0; at < lengths[part]; at++)
            parts[part][at] = next++;
}

/* Turns keys of 16 bytes round. */
void told_keys(unsigned char **keys, size_t count)
{
    size_t key, at;
    for (key = 0; key < count; key++)
        for (at = 0; at < 8; at++) {
            unsigned char last = keys[key][15 - at];
            keys[key][15 - at] = keys[key][at];
            keys[key][at] = last;
        }
}

/* Where the mark is, if it is; or a place that is none of the text. */
const char *told_after(const char *text, char mark, int lie)
{
    return lie ? (const char *)0x1000 : strchr(text, mark);
}

/* Where `mark` stands between `from` and `until`, or up to the end where that is NULL, in a text that ends where `end` points. */
const char *told_between(const char *text, const char *text_end, const char *from, const char *until, char mark)
{
    until = until ? until : text_end;
    if (from < text || until > text_end)
        return NULL;
    for (; from < until; from++)
        if (*from == mark)
            return from;
    return NULL;
}

/* The first number that is not smaller than `least`, one behind the last of them, and how many are left. */
size_t told_from(const int *numbers, size_t count, int least, const int **found, int lie)
{
    size_t at = 0;
    while (at < count && numbers[at] < least)
        at++;
    *found = lie ? (const int *)((const char *)numbers + 1) : numbers + at;
    return count - at;
}

/* Reads what it was given when it was made, and later: its memory is the caller's. */
struct told_reader { const unsigned char *from; size_t size; const char *name; const int *more; size_t count; };
static long last_sum;

struct told_reader *told_reader(const void *from, size_t size)
{
    int is_bad = size && *(const unsigned char *)from == 0xff;
    struct told_reader *reader = is_bad ? NULL : calloc(1, sizeof *reader);
    if (reader) {
        reader->from = from;
        reader->size = size;
    }
    return reader;
}

int told_reader_name(struct told_reader *reader, const char *name)
{
    reader->name = name;
    return 0;
}

/* Fails where it is told to, and looks at the new numbers or the old ones then. */
int told_reader_more(struct told_reader *reader, const int *more, size_t count, int lie)
{
    if (lie != NOTHING) {
        reader->more = more;
        reader->count = count;
    }
    if (lie == ABORTS)
        abort();
    return lie ? -1 : 0;
}

long told_reader_sum(const struct told_reader *reader)
{
    long sum = 0;
    const char *letter;
    size_t at;
    for (at = 0; at < reader->size; at++)
        sum += reader->from[at];
    for (letter = reader->name; letter && *letter; letter++)
        sum += *letter;
    for (at = 0; reader->more && at < reader->count; at++)
        sum += reader->more[at];
    return sum;
}

void told_reader_close(struct told_reader *reader)
{
    last_sum = told_reader_sum(reader);
    free(reader);
}

long told_last_sum(void) { return last_sum; }

/* The same in memory of the caller. */
struct told_window { const unsigned char *kept; size_t size; long total; };

int told_window_begin(struct told_window *window, const unsigned char *kept, size_t size)
{
    window->kept = kept;
    window->size = size;
    return size && *kept == 0xff ? -1 : 0;
}

int told_window_slide(struct told_window *window, const unsigned char *kept, size_t size)
{
    size_t at;
    for (at = 0; at < window->size; at++)
        window->total += window->kept[at];
    return told_window_begin(window, kept, size);
}

int told_window_end(struct told_window *window)
{
    last_sum = 0;
    for (size_t at = 0; at < window->size; at++)
        last_sum += window->kept[at];
    return 0;
}

/* What callers take for a `bool`, and for one of two colours. */
unsigned char told_even(int number, int lie) { return (unsigned char)(lie ? lie : number % 2 == 0); }
unsigned told_colour(int number, int lie) { return lie ? (unsigned)lie : number % 2 ? 7u : 9u; }
