"""`make demo`: the main job, for real, from a registered model to a version change under traffic."""
