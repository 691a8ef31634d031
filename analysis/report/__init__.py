"""The HTML report of all records, and the incremental build of tables and figures."""
