"""Messages of files: videos, images, backgrounds."""

from __future__ import annotations

from app.core.text import Message


class VideoText(Message):
    """Errors of video files."""

    ABSENT = "There is no video file {file}; check the name."
    NOT_PERMITTED = "You have no permission to read the video {file}; check the permissions of the file."
    UNREADABLE = "{file} is not a readable video: it is damaged or in an unknown format; choose another file."
    DOLBY_VISION = (
        "{file} has colours of Dolby Vision that only its own displays show (profile 5); save it in HDR10, HLG or "
        "without HDR."
    )
    NO_VIDEO = "{file} contains no video; choose another file."
    UNSUPPORTED = "{file} is in a format that cannot be played; save it as MP4 (H.264)."
    TOO_LARGE = "The frames of {file} are too large ({width}×{height}); save the video in a smaller size."
    NO_FRAME = "The video {file} contains no readable frame; choose another file."
    RESHAPED = "Frames of {file} have another shape than the first; they are cropped or given bars, not stretched."
    NO_MORE_FRAMES = "The video {file} can no longer be read; choose another file."


class ImageText(Message):
    """Errors of image files."""

    ABSENT = "The image {file} does not exist; choose another one."
    NOT_PERMITTED = "You have no permission to read the image {file}; check the permissions of the file."
    FOLDER = "{file} is a folder; choose an image in it."
    UNKNOWN_FORMAT = "{file} is not a readable image; use a JPEG, PNG, WebP, HEIC, AVIF, TIFF or BMP file."
    RAW = "{file} is raw data of a camera; develop it and export it as JPEG or TIFF."
    DAMAGED = "The image {file} is damaged; save it again or choose another one."
    TOO_LARGE = "The image {file} is too large; save it in a smaller size."
    FIRST_FRAME = "Only the first of the {count} frames of {file} is used; save it as a video or GIF to use them all."


class WriteReason(Message):
    """Why a file cannot be written, and what to do: the second half of a sentence."""

    DISK_FULL = "the disk is full; free some space and try again"
    QUOTA = "your disk quota is used up; free some space and try again"
    FILE_TOO_LARGE = "the file has become too large for this disk; choose another one"
    NOT_PERMITTED = "you have no permission to write there; choose another folder"
    READ_ONLY = "the disk is read-only; choose another folder"
    NO_FOLDER = "the folder does not exist; create it or choose another one"
    IS_FOLDER = "a folder has this name; choose another name"
    IS_LINK = "it is a symbolic link, which is not followed; remove it or choose another name"
    NOT_A_FOLDER = "a part of the path is not a folder; choose another path"
    FILE_FOR_FOLDER = "a file is where the folder should be; choose another folder"
    NAME_TOO_LONG = "the name is too long; choose a shorter one"
    APPEARED = "another file has got this name in the meantime; rename one of them"
    REMOVED = "somebody removed the file in the meantime; start again"
    SUFFIX = "the name of a video must end in {suffixes}; choose another name"
    UNFINISHED_FILES = "too many unfinished files are in this folder; remove them or choose another folder"
    NO_READER = "no program reads from it; start one that does"
    AUDIO = "its sound cannot be read ({reason}); choose another source"
    OTHER = "the disk reports an error; choose another path"


class ReadReason(Message):
    """Why a file cannot be read: a part of a sentence."""

    ABSENT = "it does not exist"
    NOT_PERMITTED = "you have no permission to read it"
    IS_FOLDER = "it is a folder"
    NAME_TOO_LONG = "its name is too long"
    OTHER = "the disk reports an error"


class BackgroundText(Message):
    """Errors of backgrounds."""

    NO_IMAGE = "No image is chosen for the background; choose a file."
    NO_VIDEO = "No video is chosen for the background; choose a file."


class LibraryText(Message):
    """Errors of the window's own files: backgrounds, recordings, snapshots, preferences."""

    NO_PICTURE = "{file} contains no readable frame; remove it or add it again."
    UNKNOWN_FORMAT = "{file} is neither an image nor a video; use a PNG, JPEG, WebP or MP4 file."
    NOT_COPIED = "{file} could not be copied: {reason}."
    NOT_PASTED = "The pasted image could not be encoded; save it as a file and add that file."
    NOT_WRITTEN = "{file} could not be written: {reason}."
    NAME_EMPTY = "The name of a background must contain letters or digits."
    NAME_TAKEN = "A background “{name}” already exists; choose another name."
    NOT_RENAMED = "{file} could not be renamed: {reason}."
    NOT_REMOVED = "{file} could not be removed: {reason}."
    NOT_RESTORED = "{file} could not be restored from the trash: {reason}."
    NO_FOLDER = "The folder {folder} cannot be created: {reason}."
