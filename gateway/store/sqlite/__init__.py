"""SQLite behind the store's seam: one file in the data folder, told apart by kernel locks."""
