"""Memory across queries: what counts that were let out earlier say together with new ones."""
