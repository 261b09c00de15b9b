"""The database: types, engines with their guards, migrations. Knows no feature."""
