"""Who makes or delivers the goods."""
