/* Labels and lists. */
#include "service.h"

const char *labels[] = {
    "Settings",
    "You will recieve a mail", /* TODO: spelling */
    "Save",
};

void list_draw(const struct list *list) {
  for (size_t i = 0; i < list->count; i++) {
    draw_row(i, text_width(list->rows[i].title)); /* TODO: width counts bytes, not characters */
  }
}
