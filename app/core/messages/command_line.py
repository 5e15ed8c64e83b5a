"""Messages of the command line, and of the setup that precedes it. Imports the standard library only."""

from __future__ import annotations

from app.core.text import CommandLineMessage


class CommandLineText(CommandLineMessage):
    """Errors of the commands."""

    OPTIONS_FIRST = "Options go after the command: `python3 run.py {command} --…`."
    NO_SETTINGS_FILE = "There is no settings file {file}; check --config."
    BROKEN_SETTINGS = "The settings file {file} cannot be used: {reason}; correct or replace it, or leave --config out."
    PROOF_WITHOUT_BACKGROUND = (
        'With the background "none" a proof would show the unprocessed camera frame; name a file with '
        "--record, or choose another background."
    )
    PROOF_NOT_WRITTEN = (
        "The proof cannot be written to {folder}: {reason}. Another folder can be named in MATTECAM_DATA_DIR."
    )
    CONFIRM_UNMATTED = (
        'The saved background is "none", which shows the room; add `--background none` to confirm it, or name another '
        "background."
    )
    IMAGE_NOT_WRITTEN = "The image {file} cannot be written: {reason}."
    UNKNOWN_WEIGHTS = "There are no weights named {names}; the names are {known}."
    OTHER_WEIGHTS = (
        "These files are not the published weights: {files}; download them with `weights download --again "
        "NAME`, or leave them if you put them there on purpose."
    )
    NO_CHECKSUM = "No checksum of {name} is published; the downloaded file was trusted and its checksum recorded."
    NO_CAMERA = "No camera was found; the demo view (--source demo) works without one."
    NO_VIRTUAL_CAMERA = "No virtual camera was found; `python3 run.py doctor` tells how to get one."
    NO_WINDOW = "{reason}; running without a window."
    PROOF = "No window and no virtual camera here, so I record a {seconds}-second sample: {file}"
    DEMONSTRATION = "No camera was found, so the sample shows the demonstration."
    USED = (
        "Using {base}: source {source}, {width}x{height} at {fps} fps, model {model}, background {background}, virtual "
        "camera {camera}."
    )
    DEFAULTS = "the default settings"
    SETTINGS_OF = "the settings in {file}"
    SCENE_OVER = "the scene “{scene}” and {base}"
    RECORDED = "Recorded {file}"
    STEP_OUT = "Step out of the frame; capturing starts in {countdown} s and takes {seconds} s."
    STARTS_PAUSED = (
        'The saved background is "none", which shows the room, so the outputs show the stand-by card. Start with '
        "`--background none` to confirm it, or choose another with `python3 run.py ctl background` and then "
        "`python3 run.py ctl resume`."
    )
    STILL_PAUSED = (
        "The last run crashed while it was paused, so the outputs show the stand-by card; `python3 run.py ctl resume` "
        "goes on."
    )
    NO_MATTE = "No frame was matted within {seconds} seconds; run `python3 run.py doctor`."
    NOT_STOPPED = "A part of the program did not stop in time; the driver of a device may hang."
    FILE = "{file} cannot be used: {reason}; check the name."
    NO_HOME = "This user has no home folder, as in a container; set HOME, or MATTECAM_CONFIG_DIR and MATTECAM_DATA_DIR."
    NO_MEMORY = "There is not enough memory; close other programs, or raise the limit if this one has one."
    MEMORY_LIMIT = (
        "A program may use {limit} MB of memory here, and this one needs {needed}; raise the limit with `ulimit -v "
        "unlimited`, or ask who set it."
    )
    OUTPUT = "The output cannot be written: {reason}."


class ConvertText(CommandLineMessage):
    """Errors of conversions."""

    NO_OUT = "OUT is missing; name the result after {file}."
    EMPTY_NAME = "A name is empty; name the file or the folder."
    NO_FILE_NAME = "A name holds a character that no file can have in its name; name the file or the folder."
    DASH = "“-” does not stand for standard input or output; name a file or a folder."
    NO_SOURCE = "There is no file or folder {file}; check the name."
    EMPTY_FOLDER = (
        "The folder {folder} contains no images ({formats}), and folders in it are not searched for images or videos; "
        "name the folder that holds them."
    )
    NOT_READ = "{file} cannot be read: {reason}; check its name and permissions, or choose another one."
    SUFFIX = "{file} is not the name of a video; name a video ({suffixes}) or, for PNG images, a folder."
    NO_ALPHA = "{file} cannot be transparent; name a file of another kind ({formats}) or a folder for PNG images."
    NO_IMAGE_NAME = "{source} is an image, and {file} is no name of one; name an image such as out.png, or a folder."
    EXISTS = "{files} exists already; add --overwrite to replace it, or choose another name."
    NOT_REPLACED = "{file} is a pipe or a device, which is not replaced; choose another name."
    NO_FRAME = "{file} contains no usable frame; choose another file."
    NO_RATE = "“{value}” is no frame rate; write a number from {low} to {high}, such as 25, 29.97 or 24000/1001."
    OWN_RATE = "{file} is no folder of images, whose frame rate could be chosen; leave --fps out."
    SAME_FILE = "{file} cannot be written: it is also {use}; choose another name."
    NESTED = "{file} lies in {folder}, which is also an output; create that folder first, or choose another name."
    SOURCE = "the source"
    OUTPUT = "another output"
    STOPPED = "The conversion stopped at {file}: {reason}."
    NOT_WRITTEN = "{file} cannot be written: {reason}."
    NOT_FINISHED = "{file} could not be completed: {reason}."
    AT_IMAGE = "Image {name} of {file}: {problem}"
    LEFT_IN = "What was written is in {file}."
    KEPT = "Frames kept in {file}: the first {frames}."
    INTERRUPTED = "Interrupted (frames so far: {frames}); nothing was kept. --keep-partial keeps the frames so far."
    BOTH = "{first} {second}"
    CUT = "{file} is cut off: {frames} of {expected} frames could be read; copy or download it again."
    DAMAGED = "Damaged parts of {file} were left out: {count}."
    DAMAGED_IMAGES = "Unreadable or unsuitable images in {file} were left out: {count} ({names})."
    OTHER_FILES = "Files in {file} that are neither images nor videos were left out: {count} ({names})."
    RESHAPED = "Frames of {file} that have another shape than the film were given black bars: {count}."
    MORE_TRACKS = "Further tracks of {file} (sound, subtitles, video) were left out: {count}."
    OTHER_ZONES = "Zones that were painted for a camera are not used for films; name a file with --zones."
    NO_SOUND = "The sound of {file} could not be taken over."


class BatchText(CommandLineMessage):
    """Errors of conversions of many clips."""

    DIED = (
        "The process that converted {file} ended unexpectedly ({reason}) in each of {tries} tries; free memory, or use "
        "fewer --jobs."
    )
    SAME_NAME = "{first} and {second} would both become {name}; convert them into separate folders."
    NOT_A_FOLDER = (
        "{file} is not a folder; several clips, a folder of videos, --jobs, --resume and --cluster need a "
        "folder for the results."
    )
    KEEP_PARTIAL = "--keep-partial is for a single clip; of several, --resume converts the interrupted ones again."
    FILE_IN_THE_WAY = "{file} is a file, but the images need a folder of this name; choose another folder as OUT."
    FOLDERS_BESIDE_CLIPS = (
        "Folders of videos in {folder} are not searched: {count}. To convert their videos, name these folders too."
    )
    SOURCE_IN_OUTPUT = "The source {source} lies in the output {output}; choose another folder as OUT."
    OUTPUT_IN_SOURCE = "The output {output} would lie in the source {source}; choose another folder as OUT."
    IN_USE = "Another conversion writes to {folder}; wait for it or choose another folder."
    NOT_FETCHED = "{file} cannot be fetched: {reason}; check the address and the access rights."
    NOT_UPLOADED = "{file} cannot be uploaded: {reason}; check the address and the access rights."
    NO_FSSPEC = "{file} needs the package {package}; {remedy}."
    UNKNOWN_ADDRESS = "{file} is an address of an unknown kind; check the part before ://."
    NO_RAY = "--cluster needs Ray; {remedy}, or use --jobs."
    NO_CLUSTER = "Ray at {address} cannot be used: {reason}; check the address and that the versions agree."
    RAY_NOT_STARTED = "Ray did not start on this machine: {reason} Try again when it is less busy, or omit --cluster."
    RAY_LOST = "Ray ended during the conversion: {reason}; run the command again with --resume."
    RAY_FILE_READABLE = "Other users can read Ray's token in {file} and run code with it; run `chmod 600 {file}`."
    RESULT = (
        "Clips: {all}, of which {done} done, {skipped} left out because they were done before, {failed} failed, "
        "{interrupted} interrupted."
    )


class ApiText(CommandLineMessage):
    """Errors of the Python API."""

    CLOSED = "The stream is closed; make a new Matting object."
    FORKED = "This stream belongs to the process that made it; make a stream in each process."
    NO_STATE_YET = "A stream has a state only after its first frame; step it first."
    NO_STATE = "The state of the model {model} cannot be saved; choose a model without an empty-background plate."
    OTHER_STATE = "The state was saved with {model} under other settings; this stream runs {own}."
    NO_SETTING = "There is no setting “{name}”; docs/settings.md lists them."
    NO_BACKDROP = 'The background "none" has no composite; choose another background.'


class InstallText(CommandLineMessage):
    """How packages get into this copy, a part of a sentence."""

    COMMAND = "run `{command}`"
    NO_PIP = "install Mattecam by pip or run it from its sources for that, because this copy has no pip"


class DisplayText(CommandLineMessage):
    """Why no window can open, a part of a sentence."""

    NO_DISPLAY = "there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)"
    NOT_OPENED = "no window can open with {variables}"
    LIBRARIES = (
        "the window needs libraries that are not installed: {libraries} (Debian and Ubuntu: sudo apt install {debian}; "
        "Fedora: sudo dnf install {fedora})"
    )
    LIBRARY_FILE = "the window needs the library {library}, which `python3 run.py doctor` tells how to install"
    QT = "the window needs PyQt6, which cannot be loaded"
    FIRST = "{reason}; install them first, or run `python3 run.py headless`."


class UsageText(CommandLineMessage):
    """Errors in values that the user writes on the command line."""

    SIZE = "“{text}” is not a size; write it like 1280x720."
    PAN = "“{text}” is not a position; write two numbers like 0.5,-1."
    COLOUR = "“{text}” is not a colour; write it like #00b140."
    BLUR = "“{text}” is not a blur strength; write a number from 0 to 100."
    BACKGROUND = "There is no background “{text}”; write blur, a file, #RRGGBB, green or none."
    TRANSPARENT = (
        "A live picture has no transparent background; choose a colour, such as green. A film or an image has one (on "
        "the command line: `run.py convert --background transparent`)."
    )
    BACKGROUND_EMPTY = "The background is empty; write blur, a file, #RRGGBB, green or none."
    INVALID = "{option}: “{value}” is not possible: {problem}."
    NO_STATUS_FILE = "{file} exists and holds no measurements of an earlier run; name another file with --status-json."
    NO_PLATE_NAME = "{file} is not the name of an image; name a PNG file with --output, such as room.png."
    NO_PLATE_FILE = "{file} exists and was not written by `plate`; name another file with --output."
    ON_OFF = "{option}: “{value}” is not possible; write on or off."


class ParserText(CommandLineMessage):
    """Words that are no command line."""

    NO_OPTION = "There is no option {option}; `{command} --help` lists the options."
    SIMILAR = "There is no “{name}”; did you mean {names}?"
    VALUE_MISSING = "{option} needs a value; write it after the option."
    NO_VALUE = "{option} takes no value; write the option alone."
    NO_COMMAND = "There is no command “{name}”; `{command} --help` lists the commands."
    TOO_MANY = "“{words}” is too much; `{command} --help` shows what belongs there."
    MISSING = "{name} is missing; `{command} --help` shows what belongs there."
    OTHER = "{message}; `{command} --help` shows the usage."


class EnvironmentText(CommandLineMessage):
    """What the setup does, and why it failed."""

    SYSTEM = (
        "The packages need Linux with glibc 2.34 (x86-64) or 2.39 (aarch64), macOS 14 on Apple silicon, or Windows on "
        "x86-64, or newer; this is {system}."
    )
    PREPARING = "preparing {folder}; this happens once and takes some minutes"
    ASKING = "asking the package index"
    PACKAGE = "package {count}: {step}"
    NOT_PREPARED = "The environment could not be prepared: {reason}. Start again to resume the setup."
    NO_VENV = "Python's venv module is missing; on Debian `sudo apt install python{version}-venv`"
    DISK_FULL = "the disk is full; free 4 GB, or 10 GB with an NVIDIA GPU"
    NOT_WRITABLE = "{folder} is not writable; make it writable"
    HASHES = "a package differs from the published one; check PIP_INDEX_URL and pip's configuration"
    CERTIFICATE = "the certificate of the package index is not trusted; set PIP_CERT"
    NO_CONNECTION = "the package index cannot be reached; check the network"
    UNSUPPORTED = "a package does not support Python {version}; try 3.12"
    PIP_FAILED = "pip failed"
    FAILED = "{reason} (pip's output is in {log})"
