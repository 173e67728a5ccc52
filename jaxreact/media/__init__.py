"""Pictures that were recorded or drawn before, read one at a time from images and videos."""
