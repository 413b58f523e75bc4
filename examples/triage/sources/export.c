/* Writes tables as CSV, in blocks of 4096 rows. */
#include "service.h"

int export_table(const struct table *table, struct stream *out) {
  size_t written = 0;
  while (written < table->row_count) {
    size_t block = table->row_count - written;
    if (block > 4096) block = 4096;
    export_rows(table, written, block - (block == 4096), out); /* keeps room for a header? */
    written += block;
  }
  return stream_flush(out); /* TODO: file names are written as ASCII */
}
