#include "environment_file.h"

#include "base/file.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define ENV_MAX ((size_t)64 * 1024)

/* "export NAME='VALUE'": the value. */
static bool
parse_line(view line, view name, view *value)
{
	static const view word = V_INIT("export ");
	view rest = view_from(line, word.len);

	if (!view_starts(line, word) || !view_eq(view_cut(&rest, '='), name) || rest.len < 2 ||
	    rest.ptr[0] != '\'' || rest.ptr[rest.len - 1] != '\'')
		return false;
	*value = (view){ rest.ptr + 1, rest.len - 2 };
	return true;
}

bool
environment_read(const struct config *config, struct buf *out, struct error *err)
{
	AUTO(text_done) char *path = NULL;

	if (!config_path(config, "env", &path, err))
		return false;
	if (access(path, F_OK) != 0 && errno == ENOENT)
		return error_set(err, ERR_NOT_FOUND,
		    "there is no file env in the data folder %s, where `strongroom dev` writes "
		    "it: name a development server's by --data; for another server, let the shell "
		    "export what its `strongroom init` printed",
		    config->data);
	return file_read(path, ENV_MAX, out, err);
}

bool
environment_value(const struct config *config, const char *name, struct buf *out, struct error *err)
{
	AUTO(buf_free) struct buf content = { 0 };
	view rest, value;

	if (!environment_read(config, &content, err))
		return false;
	rest = buf_view(&content);
	while (rest.len > 0) {
		if (parse_line(view_cut(&rest, '\n'), view_of(name), &value)) {
			buf_add(out, value);
			return buf_ok(out) || error_memory(err);
		}
	}
	return error_set(err, ERR_NOT_FOUND, "the file env does not export %s", name);
}
