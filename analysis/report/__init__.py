"""One HTML page of everything on record, and the incremental build of tables and figures."""
