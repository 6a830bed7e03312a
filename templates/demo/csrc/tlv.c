/* Metadata of an archive entry: records of {tag, length, value}.
 *
 * An ordinary little C parser. It keeps a counter, allocates, reports through errno, and has the classic bug of its kind:
 * it checks that a record lies inside its input, and never that the value fits the place it is copied to.
 */
#include "tlv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TLV_NAME = 1, TLV_MODE = 2, TLV_MODIFIED = 3, TLV_COMMENT = 4 };

static unsigned long records;

/* A decimal number, written as text. */
static long long number(const unsigned char *value, size_t length)
{
    char text[24];

    memcpy(text, value, length); /* the bug: `length` is whatever the archive says */
    text[length] = '\0';
    return strtoll(text, NULL, 10); /* sets errno to ERANGE */
}

/* Fletcher's checksum of a comment without its carriage returns. */
static int comment(const unsigned char *value, size_t length, unsigned int *sum)
{
    unsigned char *text = malloc(length + 1);
    unsigned int low = 0, high = 0;
    size_t i, n = 0;

    if (text == NULL)
        return -1;
    for (i = 0; i < length; i++)
        if (value[i] != '\r')
            text[n++] = value[i];
    for (i = 0; i < n; i++) {
        low = (low + text[i]) % 65535;
        high = (high + low) % 65535;
    }
    free(text);
    *sum = high << 16 | low;
    return 0;
}

int tlv_parse(const unsigned char *data, size_t len, struct tlv_entry *entry)
{
    size_t at = 0;
    int count = 0;

    memset(entry, 0, sizeof *entry);
    errno = 0;
    while (at < len) {
        const unsigned char *value = data + at + 3;
        size_t length;

        if (len - at < 3) {
            errno = EINVAL;
            break;
        }
        length = data[at + 1] | (size_t)data[at + 2] << 8;
        if (length > len - at - 3) {
            errno = EINVAL;
            break;
        }
        records++;
        count++;
        switch (data[at]) {
        case TLV_NAME:
            if (length >= sizeof entry->name)
                errno = ENAMETOOLONG;
            else
                memcpy(entry->name, value, length);
            break;
        case TLV_MODE:
            entry->mode = (unsigned int)number(value, length);
            break;
        case TLV_MODIFIED:
            entry->modified = number(value, length);
            break;
        case TLV_COMMENT:
            comment(value, length, &entry->comment);
            break;
        default: /* of a newer version */
            break;
        }
        if (errno != 0)
            break;
        at += 3 + length;
    }
    return errno != 0 ? -errno : count;
}

unsigned long tlv_records(void)
{
    return records;
}
