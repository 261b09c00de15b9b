"""Evidence bundles: what an auditor takes along to check a batch, a report or a code without us."""
