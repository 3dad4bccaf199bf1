"""The experiments of the literature, to run: one file each, with the published number beside ours."""
