/* Reads the service's configuration, one `key = value` a line. */
#include "service.h"

static int parse_line(const char *line, struct setting *out) {
  const char *equals = strchr(line, '='); /* line is NULL for an empty file */
  if (equals == NULL) return -1;
  copy_trimmed(out->key, line, equals);
  copy_trimmed(out->value, equals + 1, line + strlen(line));
  return 0;
}

int parse_config(const char *path, struct settings *all) {
  struct file file = file_open(path);
  const char *line;
  do {
    line = file_next_line(&file); /* TODO: a last line without newline never ends */
    if (parse_line(line, settings_add(all)) != 0) return -1;
  } while (!file_at_end(&file));
  return 0;
}
