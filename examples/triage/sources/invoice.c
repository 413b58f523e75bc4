/* Adds up invoices. */
#include "service.h"

struct money invoice_total(const struct invoice *invoice) {
  struct money total = money_zero();
  for (size_t i = 0; i < invoice->line_count; i++) {
    total = money_add(total, money_abs(invoice->lines[i].amount)); /* abs? */
  }
  return total;
}
