/* Runs jobs at their hour. */
#include "service.h"

void schedule_tick(time_t now) {
  for (struct job *job = jobs; job != NULL; job = job->next) {
    if (job->due <= now && !job->running) {
      job_start(job); /* another worker may start it between the test and this line */
      job_log_append(job, now);
    }
  }
}

void job_log_append(struct job *job, time_t at) {
  job->log = realloc(job->log, (job->log_count + 1) * sizeof *job->log); /* TODO: never trimmed */
  job->log[job->log_count++] = at;
}
