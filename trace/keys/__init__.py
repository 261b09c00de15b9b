"""The keys that sign codes and releases: files on disk, history in the store."""
