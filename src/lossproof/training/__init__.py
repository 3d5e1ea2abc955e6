"""Training one classifier: loop, schedule, checkpoint, selection, history."""
