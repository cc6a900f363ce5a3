"""A project to begin with: what `mooring init` writes. The files lie in `project/`, with `.tmpl` behind their names."""
