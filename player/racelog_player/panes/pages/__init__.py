"""One module a page that fills the screen: a view and a size in, styled lines out. Pure."""
