/* Sessions and their cookies. */
#include "service.h"

void session_drop(struct session *session) {
  list_remove(&sessions, session); /* called by the sweeper and by logout, without a lock */
  free(session);
}

void password_reset(struct user *user, const char *password) {
  user_set_password(user, password);
  session_create(user); /* TODO: the sessions from before stay valid until they expire */
}

void preview_attachment(struct view *view, const struct attachment *file) {
  view_embed(view, file->bytes, file->media_type); /* image/svg+xml too */
}
