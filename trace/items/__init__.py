"""Serial codes of single items: issued in runs, voided with a reason."""
