"""Messages of the matting server and its client."""

from __future__ import annotations

from app.core.text import CommandLineMessage, Message


class RemoteText(Message):
    """Errors of matting on a server."""

    NO_SERVICE = "{option} needs the WebRTC service, which this copy of Mattecam lacks."
    NO_PACKAGES = "{option} needs the packages {packages}; run `{command}`."
    NO_SERVER = "No server is named for remote matting; give its address with --server."
    ADDRESS = (
        "“{server}” is not the address of a server; write it like https://matting.example:8765 (http:// only for this "
        "computer)."
    )
    UNREACHABLE = "The server {server} does not answer ({reason}); check the address and the network."
    TIMED_OUT = "no answer in time"
    CERTIFICATE = "its certificate is not trusted"
    NOT_LISTENING = "no server listens there"
    NO_SUCH_NAME = "no computer has this name"
    NO_ROUTE = "the network does not lead there"
    NO_CONNECTION = "the connection failed"
    REFUSED = "The server {server} refused the stream: {reason}."
    FULL = "The server {server} has no free stream; matting runs on this computer until one is free."
    NO_FRAMES = "The server {server} sends no mattes; matting runs on this computer until it does."
    SHOWS_ROOM = (
        "The server {server} sent a matte that shows more than people; matting runs on this computer. Use a server "
        "that you trust."
    )
    TOKEN_FILE = "The token file {file} cannot be used: {reason}."
    TOKEN_MODE = "other users have rights to it; make it yours with `chown`, and run `chmod 600 {file}`"
    TOKEN_SHORT = (
        "it holds fewer than {bits} random bits, which are 32 hexadecimal digits or 22 letters and digits; "
        "`openssl rand -hex 32` makes enough"
    )
    TOKEN_NOT_TEXT = "it is not a token: one line of letters, digits and -._~+/="
    CA_FILE = "The certificate file {file} cannot be used: {reason}."
    CA_NOT_PEM = "it holds no certificate in PEM format"
    ODD_ANSWER = "its answer is not understood"


class ServeText(CommandLineMessage):
    """Errors and messages of `run.py serve`."""

    LISTENING = "Serving {streams} streams at {address}; stop with Ctrl+C."
    NEEDS_TOKEN = (
        "--host {host} lets other machines connect; name a file with a secret token with --token-file. It is created "
        "if it does not exist."
    )
    NEEDS_BOTH = "--tls-cert and --tls-key belong together; name both."
    NO_TLS = (
        "Without --tls-cert the token crosses the network unencrypted; use a proxy with TLS in front of the server."
    )
    TLS_FILES = "The certificate {cert} with the key {key} cannot be used: {reason}."
    TOKEN_CREATED = "A token was written to {file}; clients send it as a bearer token."
    HOST = "The server cannot listen at {host}: {reason}; choose another --host."
    PORT = "The server cannot listen on {host}:{port}: {reason}; choose another --port."
    ICE_FILE = "The file of ICE servers {file} cannot be used: {reason}."
    DRAINING = "No new streams; waiting up to {seconds} s for {streams} running ones. A second signal ends them now."
