"""One module a page: a view and a size in, styled lines out. Pure."""
