#ifndef TLV_H
#define TLV_H

#include <stddef.h>

/* What an entry's metadata says. Shared with src/ffi.rs. */
struct tlv_entry {
    char name[64];          /* NUL-terminated */
    unsigned int mode;      /* permission bits */
    long long modified;     /* seconds since 1970 */
    unsigned int comment;   /* checksum of the comment, 0 without one */
};

/* Reads the records of one entry. Returns how many there were, or minus an errno value. */
int tlv_parse(const unsigned char *data, size_t len, struct tlv_entry *entry);

/* How many records this process has read. */
unsigned long tlv_records(void);

#endif
