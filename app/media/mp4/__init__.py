"""MP4 and MOV files read without FFmpeg: what their headers declare, and their fragments."""
